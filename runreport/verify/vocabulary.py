"""The words for what is measured: which names stand for which figure, and in which direction it is better."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from runreport.ingest.columns import ALIASES, VALIDATION_WORDS

Better = Literal["high", "low"]


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that can be written about.

    names
        Regular expressions of its names, matched whole and in any case.
    better
        The direction in which it is better; None where it has none (a std ratio is best at r).
    share
        Whether people write it in percent.
    """

    key: str
    names: tuple[str, ...]
    better: Better | None = None
    share: bool = False


PRED = r"(?:preds?\b\.?|predictions?|predicted|y_?pred|ŷ)"
TRUE = r"(?:true|truth|targets?|actuals?|observed|ground[ -]truth|y_?true|labels?)"
STATISTICS = {
    # First, since its long form holds two of the others.
    "spread": r"spread(?: \(largest - smallest\))?|range",
    "mean": r"mean|average|avg",
    "std": r"std(?:\.|ev| ?dev)?|standard deviation|σ|sd",
    "min": r"min(?:imum)?|smallest",
    "max": r"max(?:imum)?|largest",
}
SUBJECTS = {"pred": PRED, "true": TRUE}


def _moments() -> tuple[Metric, ...]:
    """pred_mean, true_std and so on, by every order of their two words."""
    found = []
    for subject, who in SUBJECTS.items():
        for statistic, what in STATISTICS.items():
            names = (
                rf"{who}[ _-](?:{what})",
                rf"(?:{what}) (?:of )?(?:the )?{who}",
                r"σ_?p" if (subject, statistic) == ("pred", "std") else rf"{subject}_{statistic}",
            )
            found.append(Metric(key=f"{subject}_{statistic}", names=names))
    return tuple(found)


METRICS: tuple[Metric, ...] = (
    Metric(
        key="r2",
        names=(r"(?-i:R)²", r"(?-i:R)\^2", r"r2", r"r2[ _]score", r"r[ -_]?squared", r"coefficient of determination"),
        better="high",
        share=True,
    ),
    Metric(
        key="variance_ratio",
        names=(
            r"variance[ _-]ratios?",
            r"var\.?[ _-]ratios?",
            r"(?:std|standard[ -]deviation)[ _-]ratios?(?: α)?(?: \(std of predictions / std of truth\))?",
            r"σ_?p ?/ ?σ_?t",
        ),
        share=True,
    ),
    Metric(
        key="pearson_r",
        names=(
            r"(?-i:r)",
            r"pearson(?:'s)?(?:[ _]r)?(?:[ _]correlation)?",
            r"correlation(?: r| coefficient)?(?: with the truth)?",
        ),
        better="high",
    ),
    # Lower case is the squared correlation to some and R² to others: both are looked at, neither is held against it.
    Metric(key="r2_or_square", names=(r"(?-i:r)²", r"(?-i:r)\^2"), share=True),
    Metric(key="bias", names=(r"bias β(?: \(mean error / std of truth\))?", r"β", r"mean off by \(σ\)"), share=True),
    Metric(key="bias_word", names=(r"bias",), share=True),
    Metric(key="rate_word", names=(r"rate",)),
    Metric(key="absolute_bias", names=(r"\|(?:bias )?β\|",), better="low"),
    Metric(key="mean_error", names=(r"mean[ _]error", r"me(?-i:ME)")),
    Metric(key="calibration_slope", names=(r"calibration slope(?: b)?(?: \(1 is calibrated\))?",)),
    Metric(key="recalibrated_r2", names=(r"recalibrated r²", r"recalibrated r2"), better="high"),
    Metric(key="mae", names=(r"mae", r"mean absolute error"), better="low"),
    Metric(key="rmse", names=(r"rmse", r"root[ -]mean[ -]squared?[ -]error"), better="low"),
    Metric(key="mse", names=(r"mse", r"mean squared error"), better="low"),
    Metric(key="mape", names=(r"mape",), better="low"),
    Metric(key="val_loss", names=(r"(?:val(?:id(?:ation)?)?|eval|dev)[ _/.-]?loss(?:es)?",), better="low"),
    Metric(key="train_loss", names=(r"train(?:ing)?[ _/.-]?loss(?:es)?",), better="low"),
    Metric(key="base_loss", names=(r"base[ _]loss",), better="low"),
    Metric(key="loss", names=(r"(?:test )?loss",), better="low"),
    Metric(key="learning_rate", names=(r"learning[ _-]rates?", r"lr")),
    Metric(key="samples", names=(r"(?-i:n)", r"samples?", r"num_samples", r"sample size", r"test samples")),
    Metric(
        key="epochs_run",
        names=(r"epochs(?=\s*[:=])", r"(?<=\d )epochs", r"epochs[ _]run", r"epochs trained", r"number of epochs"),
    ),
    Metric(
        key="saved_epoch",
        names=(r"(?:best|saved|selected|kept|chosen)[ _]epoch", r"saved(?= \d)", r"epoch (?:saved|selected|kept)"),
    ),
    Metric(key="pred_spread", names=(r"prediction range", r"pred_range", r"spread(?=:| (?:of )?[\d|])")),
    Metric(key="missing_information", names=(r"missing information",), share=True),
    Metric(key="wrong_spread", names=(r"(?:a )?wrong spread",), share=True),
    Metric(key="wrong_mean", names=(r"(?:a )?wrong mean",), share=True),
    *_moments(),
)
"""Longer names win over shorter ones that they hold, so the order does not matter."""

BY_KEY = {metric.key: metric for metric in METRICS}


LABELS = {
    "r2": "R²", "variance_ratio": "std ratio", "pearson_r": "r", "mae": "MAE", "rmse": "RMSE", "mse": "MSE", "mape": "MAPE",
    "bias": "β", "absolute_bias": "|β|", "recalibrated_r2": "r²",
}  # fmt: skip
"""How figures are called in a sentence; others by their key with spaces."""


def label(key: str) -> str:
    """A figure's name in a sentence.

    >>> label("r2"), label("val_loss"), label("config.batch_size")
    ('R²', 'val loss', 'batch_size')
    """
    return LABELS.get(key, key.removeprefix("config.") if key.startswith("config.") else key.replace("_", " "))


def is_share(key: str) -> bool:
    """Whether a figure is one that people write in percent."""
    metric = BY_KEY.get(key.removeprefix("train_"))
    return metric is not None and metric.share


def better(key: str) -> Better | None:
    """The direction in which a figure is better."""
    metric = BY_KEY.get(key.removeprefix("train_"))
    return metric.better if metric is not None else ("low" if key.endswith("loss") else None)


def _column_names() -> tuple[tuple[str, str, str | None], ...]:
    """(name, metric, split) of the names under which loggers write columns: only those no sentence uses otherwise."""
    found = []
    for known, aliases in ALIASES.items():
        if known == "epoch":
            continue
        key = "pred_spread" if known == "pred_range" else known
        for alias in (known, *aliases):
            if "_" in alias and alias != "avg_loss":
                split = "validation" if alias.split("_")[0] in VALIDATION_WORDS and key != "val_loss" else None
                found.append((alias, key, split))
    return tuple(found)


COLUMN_NAMES = _column_names()


def metric_pattern(config_keys: tuple[str, ...] = ()) -> tuple[re.Pattern[str], dict[str, tuple[str, str | None]]]:
    """One pattern that finds the longest name first, and what each of its groups stands for: (metric, split).

    A configuration key is a name of ``config.<key>``, as written and with spaces for underscores.
    """
    entries: list[tuple[str, str, str | None]] = []
    for metric in METRICS:
        entries += [(name, metric.key, None) for name in metric.names]
    entries += [(re.escape(name), key, split) for name, key, split in COLUMN_NAMES]
    lambdas = [key for key in config_keys if key.endswith("_lambda")]
    for key in config_keys:
        entries.append((re.escape(key).replace("_", "[ _]"), f"config.{key}", None))
        if lambdas == [key]:
            entries.append((r"lambda|λ", f"config.{key}", None))
    entries.sort(key=lambda e: -len(e[0]))
    groups: dict[str, tuple[str, str | None]] = {}
    parts = []
    for number, (name, key, split) in enumerate(entries):
        groups[f"m{number}"] = (key, split)
        parts.append(rf"(?P<m{number}>{name})")
    edge = r"(?![\wα-ω²^]|-(?:based|weighted|preserving))"
    return re.compile(rf"(?<![\w.'/]){'(?:' + '|'.join(parts) + ')'}{edge}", re.IGNORECASE), groups


HARMLESS = words(
    """a an the this that these those it its is are was were be been being has have had having does did do of on in at
    to for from by with and or but as so then there here only just still also even very too quite rather almost
    nearly about around roughly approximately already again now overall out up down into
    during after before when while where which who whose what our we my i you your they their run runs model models
    training test validation train val set split data dataset results result final figures figure metric metrics value
    values score scores reached reaches reach achieved achieves achieve got gets scored scores ended ends end finished
    finishes gave gives shows showed show stands stood stays stayed remained remains sits came comes landed lands had
    measured logged reported obtained negative positive low lower high higher better worse
    slightly much far well zero best worst saved selected chosen kept last first initial started start starts
    beginning epoch epochs checkpoint prediction predictions samples sample set vs versus against compared respectively
    however despite though although yet hence therefore so thus collapsed collapse dropped drops fell falls rose rises
    rapid rapidly strongly evaluated held-out held unseen summary executive key finding critical conclusion note overall
    indeed namely back
    """
)
"""Words that do not change what a number is of. A sentence with any other word is not held against its numbers: "the
baseline's R² is 0.3" is no claim about the run."""
HYPOTHETICAL = re.compile(
    r"\b(?:should|would|could|might|may|will|expect(?:ed|s)?|targets?(?=\s*(?::|[<>≥≤]|variance|of))|goals?|aims?|aiming|"
    r"criteri(?:on|a)|thresholds?|floor|ceiling|requires?|required|needs?|needed|unless|until|try|tries|recommend(?:ed|s)?|"
    r"recommendation|propos(?:e|ed|al)|option|hypothes[ie]s|suppose|suggest(?:s|ed)?|ideally|hopefully|"
    r"at most|at least|assum(?:e|es|ed|ing)|if|refuted|plan(?:ned)?|next run|in theory|can|possible|typical)\b",
    re.IGNORECASE,
)
"""Words of what is wished, planned or supposed: its numbers are no measurements."""
HYPOTHETICAL_HEADING = re.compile(
    r"\b(?:recommend\w*|next|criteri\w+|targets?|goals?|plans?|proposals?|options?|experiments?|future|hypothes[ie]s|ideas?|"
    r"fix(?:es)?|to ?do|success|expected|stretch|ablations?|related work|literature|baselines?|increase|change|monitor|"
    r"viable|good|excellent|minimum|not checked|background)\b",
    re.IGNORECASE,
)
"""Headings under which a page says what should be, not what was."""
DELTA = re.compile(
    r"Δ|\b(?:differences?|gains?|gained|improvements?|increases?|decreases?|drops?|reduction|changes?|changed|deltas?|gap|"
    r"shortfall|below|above|by|off|standard error|p-value|recover\w*|shrink\w*|give back|shifted|rescal\w*|constant|"
    r"cover\w*|tenths?|outside|intervals?|bounds?|resampl\w*)\b",
    re.IGNORECASE,
)
"""Words that make a number a difference or a part of a figure, not the figure."""
