"""Data: too few samples, dependent ones, a leak, or splits with different means."""

from __future__ import annotations

from runreport.rules.base import Rule, Threshold
from runreport.rules.data_leak import LEAK, check_leak
from runreport.rules.data_sample import DEPENDENT, FEW, check_dependent, check_few
from runreport.rules.data_shift import SHIFT, check_shift

RULES: tuple[Rule, ...] = (
    Rule(
        id=FEW,
        title="Too few samples to decide",
        meaning="The interval of R² contains 0 and is wide: whether the model beats the mean cannot be told here.",
        statistic=(
            "95 % interval of R²; samples at which an R² of the measured size (0.02 at least) would be told from 0 with "
            "80 % power, its standard error shrinking as 1/√n."
        ),
        remedy="Judge on more samples (more flights, patients, days; not more frames of one) or several splits.",
        severities="info; warning below 10 samples",
        check=check_few,
        thresholds=(
            Threshold(
                name="half_width",
                default=0.1,
                reason="R² known to better than ±0.1 answers most questions, whatever the answer",
                unit="R²",
            ),
            Threshold(name="least_samples", default=10, reason="an interval from fewer is a formality", unit="samples"),
        ),
    ),
    Rule(
        id=DEPENDENT,
        title="Samples are not independent",
        meaning="Neighbouring samples repeat each other: the set is worth far fewer independent ones than it has rows.",
        statistic="n_e = n / (1 + 2 Σ ρ_true(k) ρ_pred(k)), that of the correlation, against n, row order taken as time "
        "order; the mean error has its own, n / (1 + 2 Σ ρ_error(k)).",
        remedy="Read the intervals, not n; to narrow them collect other flights, patients or days.",
        severities="info",
        check=check_dependent,
        thresholds=(
            Threshold(name="share", default=0.25, reason="intervals twice as wide as n promises", unit="n_e/n"),
        ),
    ),
    Rule(
        id=LEAK,
        title="Too good to be true",
        meaning=(
            "A perfect score, predictions that equal the truth, or a validation set predicted far better than the "
            "training set, rows that the run itself counted in two splits, or an input that nearly is the target: the answer "
            "may be among the inputs, or rows of one split in another."
        ),
        statistic=(
            "Rows with equal inputs in two splits, by `leak_check` of the metrics file, beyond what validation and test share; "
            "by the same check, the highest squared correlation of one input column with the training target; "
            "R² > 1 - 1e-6; share of predictions "
            "exactly equal to a truth that is not made of whole numbers; validation "
            "R² above training R² (or above 0, the mean's) by more than 3 standard errors."
        ),
        remedy="Check features for the target, and the splits for shared rows, groups or neighbours in time.",
        severities=(
            "critical for a perfect score, equal values or many shared test rows, warning for any; validation above training "
            "warning where it has half the "
            "training error or less, else info"
        ),
        check=check_leak,
        thresholds=(
            Threshold(name="perfect", default=1e-6, reason="1 - R² that no measured target allows", unit="1 - R²"),
            Threshold(name="equal_share", default=0.5, reason="most of them, to the last digit", unit="of rows"),
            Threshold(name="least_rows", default=10, reason="a few rows can be fitted by chance", unit="rows"),
            Threshold(
                name="shared_share",
                default=0.05,
                reason="one row in twenty, known by heart, gives back up to 0.05 of R²; below it equal rows can be chance",
                unit="of test rows",
            ),
            Threshold(
                name="column_r2",
                default=0.9,
                reason="an input that leaves a tenth of the target is worth a look, whatever it is; made features reach 0.81",
                unit="r²",
            ),
            Threshold(name="standard_errors", default=3.0, reason="chance passes it in a run of 700", unit="SE"),
            Threshold(
                name="error_share",
                default=0.5,
                reason="an easier split shifts R² often; with half the training error or less it is worth a look",
                unit="of 1 - R²",
            ),
        ),
    ),
    Rule(
        id=SHIFT,
        title="The splits have different means",
        meaning="The mean of this split differs from the training mean, and that difference accounts for the bias.",
        statistic="(train mean - mean of this split)/σt against β: a match where it is half to two and a half of β, and "
        "beyond two standard errors of the difference of two means.",
        remedy="Compare how the splits were drawn; a model that knows little stays near its mean. Acts on beta.",
        severities="warning, info where β² < 0.02",
        check=check_shift,
        thresholds=(
            Threshold(name="t", default=3.0, reason="a smaller bias asks for no explanation", unit="SE"),
            Threshold(
                name="t_of_means",
                default=2.0,
                reason="of the two means' difference; less is what two draws of one population have",
                unit="SE",
            ),
            Threshold(name="least_share", default=0.5, reason="half of the bias", unit="of β"),
            Threshold(
                name="most_share",
                default=2.5,
                reason="a model whose inputs moved with the target follows a part of the shift, and is biased by the rest",
                unit="of β",
            ),
        ),
    ),
)
