"""The log itself: whether its figures can be true, and whether all of its rows are there."""

from __future__ import annotations

from runreport.rules.base import Rule, Threshold
from runreport.rules.log_integrity_axis import (
    DUPLICATES,
    GAPS,
    RESTARTS,
    TRUNCATED,
    check_duplicates,
    check_gaps,
    check_restarts,
    check_truncated,
)
from runreport.rules.log_integrity_consistency import INCONSISTENT, check_inconsistent

RULES: tuple[Rule, ...] = (
    Rule(
        id=INCONSISTENT,
        title="Figures that cannot all be true",
        meaning=(
            "Logged figures contradict each other or the predictions they were computed from, so at least one of them is "
            "not what its name says, and whatever is concluded from it is void. Usual reasons: a score averaged over "
            "batches, a ratio column that holds a quotient of variances, figures of another split or checkpoint."
        ),
        statistic=(
            "R² against 2rα - α² - β² (Murphy 1988); where r or β is not logged, against all that it could be "
            "(R² ≤ 2α - α²); the ratio column against σp/σt and its square; logged R², ratio and r, and the summary's "
            "figures, against those of the predictions. Every comparison allows for rounding, float32 and ddof."
        ),
        remedy=(
            "Compute the figures once an epoch from all predictions of the split, in float64, not as a mean over batches. "
            "Until then believe only what is recomputed from predictions."
        ),
        severities="critical; warning where the reader could mend it",
        check=check_inconsistent,
        thresholds=(
            Threshold(
                name="tolerance",
                default=1e-3,
                reason="logs carry 3 or 4 digits; rounding is allowed for on top, so what is left is not rounding",
                unit="R², relative beyond 1",
            ),
        ),
    ),
    Rule(
        id=GAPS,
        title="Epochs are missing from the log",
        meaning=(
            "Nothing is known of the missing epochs: no statement about onset, best epoch or patience covers them. "
            "Information only where the log is a published selection, irregular throughout, or has a row every so many epochs."
        ),
        statistic="Steps of the epoch axis against the commonest step, and the first epoch against it.",
        remedy="Write and flush one row an epoch; after a crash, keep the rows of both parts.",
        severities="warning, info",
        check=check_gaps,
        thresholds=(
            Threshold(
                name="factor", default=1.5, reason="halfway to a step that leaves out one row", unit="× usual step"
            ),
        ),
    ),
    Rule(
        id=DUPLICATES,
        title="Epochs logged more than once",
        meaning="One epoch has two sets of figures. The later one is kept; which of them the checkpoint belongs to is unknown.",
        statistic="Rows of the same epoch with other values, as met by the reader; exact repeats are dropped silently.",
        remedy="Give a resumed run a log of its own, or cut the old log at the epoch it resumes from.",
        severities="warning",
        check=check_duplicates,
    ),
    Rule(
        id=TRUNCATED,
        title="The log ends before the run did",
        meaning="The last line is cut off, or the run says that it trained (or saved) epochs that its log does not have.",
        statistic="The reader's notes; the last logged epoch against the run's own count and saved epoch.",
        remedy="Flush the log at each epoch.",
        severities="warning",
        check=check_truncated,
    ),
    Rule(
        id=RESTARTS,
        title="The log holds more than one start",
        meaning="Training was resumed or started again into the same file. What was split or kept is said.",
        statistic="Backward jumps of the epoch and repeated headers, as met by the reader.",
        remedy="One log file a run; keep optimizer and schedule state when resuming.",
        severities="warning",
        check=check_restarts,
    ),
)
