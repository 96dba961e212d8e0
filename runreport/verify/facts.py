"""Every figure that the logs have, each with what it is of: run, metric, split, epoch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runreport.analysis.record import Analysis
from runreport.compare.record import Comparison
from runreport.verify.numbers import Written, agrees
from runreport.verify.vocabulary import is_share

Epoch = int | float
ALTERNATIVES: Mapping[str, tuple[str, ...]] = {
    "r2_or_square": ("r2", "recalibrated_r2"),
    "bias": ("bias", "mean_error"),
    "bias_word": ("bias", "mean_error", "absolute_bias"),
    "rate_word": ("learning_rate", "config.learning_rate"),
    "loss": ("loss", "val_loss", "train_loss"),
    "learning_rate": ("learning_rate", "config.learning_rate"),
    "variance_ratio": ("variance_ratio", "variance_ratio_squared"),
}
"""What else a name may mean in somebody's page: a number that is one of these is not held against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure.

    split
        ``test``, ``validation``, ``train``; None for what is of no split (a setting, a count).
    epoch
        The epoch it is of; None where that is not known or it has none.
    salient
        Whether a page that does not name an epoch can mean this one: final figures, the saved, first and last epoch, the
        extremes.
    half
        How far the true value may lie from this one, where it was rounded before it was logged.
    what
        What it is, in words: "validation, epoch 37 (saved)".
    """

    run: str
    metric: str
    value: float
    split: str | None
    epoch: Epoch | None
    what: str
    salient: bool = True
    roles: frozenset[str] = frozenset()
    half: float = 0.0

    def is_written(self, written: Written) -> bool:
        """Whether this is the number that is written."""
        return agrees(written, self.value, share=is_share(self.metric.removesuffix("_squared")), half=self.half)


@dataclass(slots=True)
class Facts:
    """The figures of several runs, by run and metric."""

    analyses: Mapping[str, Analysis]
    comparison: Comparison | None = None
    table: dict[tuple[str, str], list[Fact]] = field(default_factory=lambda: defaultdict(list))

    @property
    def runs(self) -> tuple[str, ...]:
        """Names of the runs."""
        return tuple(self.analyses)

    def of(self, run: str, metric: str) -> Sequence[Fact]:
        """Figures of a metric, the likeliest meant first; with what else the name may stand for after them."""
        found: list[Fact] = []
        for key in ALTERNATIVES.get(metric, (metric,)):
            found += self.table.get((run, key), [])
        return found

    def gaps(self, run: str) -> tuple[int, int] | None:
        """(epochs in the log, epochs run) where some were run and are not in the log, else None."""
        analysis = self.analyses[run]
        logged = len(analysis.history) if analysis.history is not None else 0
        ran = analysis.run.summary.get("epochs_run")
        total = int(ran) if isinstance(ran, int | float) and not isinstance(ran, bool) else 0
        if analysis.history is not None and logged:
            total = max(total, int(analysis.history.epochs[-1]))
        return (logged, total) if total > logged else None
