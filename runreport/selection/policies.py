"""Every way of choosing a checkpoint that the audit replays: what it maximises, where it comes from, what it needs.

All of them are fixed before the run is looked at, so that "another policy would have been better" is not itself a
choice made on the data. Pure Python: a 50-epoch history is replayed in well under a millisecond a policy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from runreport.context import History, Number
from runreport.selection.replay import Mode, Replay, replay_patience
from runreport.selection.scores import (
    bias_values,
    ccc_values,
    composite_values,
    evenly_spaced,
    finite,
    kge_values,
    trailing_mean,
)

__all__ = ["Mode", "Policy", "PolicyPick", "Replay", "catalogue", "monitored", "replay_patience", "standard_error_r2"]

PATIENCE = 10
"""Patience of the source's run 4, in epochs; used where the run declares none."""
MIN_DELTA = 0.0005
"""Least improvement of R² that counts in the source's run 4."""
RATIO_FLOOR = 0.4
"""The source's proposal: no checkpoint whose ratio is below 40 %."""
SMOOTHING_WINDOW = 5
"""Epochs in the smoothed R²: an odd window short enough to follow a 10-epoch patience."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPick:
    """The epoch that a policy would have saved.

    epoch
        None where the policy cannot be replayed; ``reason`` then says why.
    score
        What the policy maximised (or minimised), at that epoch.
    stop_epoch
        Where its patience would have ended training; None where it has none, or the log ends first.
    censored
        Whether the policy was still waiting when the log ended: what it would have picked beyond is not identifiable.
    """

    policy: str
    epoch: int | float | None
    score: float | None = None
    reason: str | None = None
    stop_epoch: int | float | None = None
    censored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A rule that turns a history into one epoch.

    name
        The id in the JSON report; stable.
    columns
        What it needs in the log; the bias counts as logged where the means and σt are.
    held_out
        Whether it follows from the predictions alone, so that it can be run again inside a bootstrap; a loss cannot.
    """

    name: str
    title: str
    formula: str
    source: str
    columns: tuple[str, ...]
    choose: Callable[[History], PolicyPick]
    held_out: bool = True

    def pick(self, history: History) -> PolicyPick:
        """The epoch it would have saved; ``epoch`` None with the reason where the log does not allow it."""
        missing = [c for c in self.columns if not _logged(history, c)]
        if missing:
            return PolicyPick(policy=self.name, epoch=None, reason=f"no {' and no '.join(missing)} column")
        return self.choose(history)


def _logged(history: History, column: str) -> bool:
    return any(map(finite, bias_values(history))) if column == "bias" else history.has(column)


def monitored(
    name: str,
    history: History,
    values: Sequence[Number],
    *,
    mode: Mode = "max",
    patience: int | None = None,
    min_delta: float = 0.0,
    warmup: int = 0,
    eligible: Sequence[bool] | None = None,
    nothing: str = "no finite value to choose by",
) -> PolicyPick:
    """The pick of early stopping on ``values``, one an epoch; :func:`replay_patience` holds the exact semantics."""
    replay = replay_patience(values, mode, patience, min_delta, warmup, eligible)
    stop = None if replay.stop is None else history.epochs[replay.stop]
    if replay.best is None:
        return PolicyPick(policy=name, epoch=None, reason=nothing, stop_epoch=stop)
    return PolicyPick(
        policy=name,
        epoch=history.epochs[replay.best],
        score=values[replay.best],
        stop_epoch=stop,
        censored=patience is not None and replay.stop is None,
    )


def standard_error_r2(r2: float, alpha: float, beta: float, n: int) -> float:
    """Standard error of R² on n independent samples, truth and predictions jointly normal.

    From the influence values -(e² - (1-R²)z²), z the standardised truth: with m = 1 - R² and c = cov(e, z) = rα - 1,
    Var = (2(m² - β⁴) + 2m² - 4mc²) / n. The correlation follows from the identity 2rα = R² + α² + β².

    >>> round(standard_error_r2(0.0, 0.0, 0.0, 100), 6), round(standard_error_r2(0.5, 0.5**0.5, 0.0, 100), 3)
    (0.0, 0.071)
    """
    m = 1 - r2
    c = (r2 + alpha**2 + beta**2) / 2 - 1
    variance = (2 * (m**2 - beta**4) + 2 * m**2 - 4 * m * c**2) / n
    return math.sqrt(max(variance, 0.0))


def _smoothed(name: str, window: int, history: History) -> PolicyPick:
    if len(history) < window:
        return PolicyPick(policy=name, epoch=None, reason=f"{len(history)} logged epochs; the mean is over {window}")
    if not evenly_spaced(history.epochs):
        return PolicyPick(policy=name, epoch=None, reason=f"epochs are missing, so no {window} in a row to average")
    smooth = trailing_mean(history.get("r2"), window)
    return monitored(name, history, smooth, nothing=f"no {window} epochs in a row with a finite r2")


def _one_standard_error(name: str, n: int | None, history: History) -> PolicyPick:
    best = replay_patience(history.get("r2")).best
    if best is None:
        return PolicyPick(policy=name, epoch=None, reason="no finite r2")
    if n is None or n < 4:
        return PolicyPick(policy=name, epoch=None, reason="the number of validation samples is not known")
    values = history.get("r2")
    top, alpha, beta = values[best], history.get("variance_ratio")[best], bias_values(history)[best]
    if top is None or alpha is None or not math.isfinite(alpha):
        return PolicyPick(policy=name, epoch=None, reason="no variance_ratio at the epoch of the best r2")
    # Where β is not logged it is taken as 0, which gives the narrowest standard error and so the latest such epoch.
    error = standard_error_r2(top, alpha, beta if beta is not None and math.isfinite(beta) else 0.0, n)
    first = next(i for i, v in enumerate(values) if v is not None and math.isfinite(v) and v >= top - error)
    return PolicyPick(policy=name, epoch=history.epochs[first], score=values[first])


@lru_cache(maxsize=64)  # the runs of one call are mostly of one patience and one set of samples
def catalogue(
    *,
    validation_n: int | None = None,
    patience: int = PATIENCE,
    min_delta: float = MIN_DELTA,
    floor: float = RATIO_FLOOR,
) -> tuple[Policy, ...]:
    """Every policy but the run's own, in the order of the report.

    ``validation_n`` is the number of validation samples (for the standard error); ``patience`` and ``min_delta`` are
    the run's own where it declares them. The floor is part of the policy's name.

    >>> from runreport.context import history_of
    >>> history = history_of([1, 2, 3], r2=[0.1, 0.3, 0.2], val_loss=[0.9, 0.8, 0.7])
    >>> [(p.name, p.pick(history).epoch) for p in catalogue()][:2]
    [('min_val_loss', 3), ('max_r2', 2)]
    """
    floor_name = f"r2_floor_{floor:g}"
    return (
        Policy(
            name="min_val_loss", title="lowest validation loss", formula="argmin val_loss", columns=("val_loss",),
            source="the default of most training loops", held_out=False,
            choose=lambda h: monitored("min_val_loss", h, h.get("val_loss"), mode="min"),
        ),
        Policy(
            name="max_r2", title="highest R²", formula="argmax R²", columns=("r2",), source="common practice",
            choose=lambda h: monitored("max_r2", h, h.get("r2")),
        ),
        Policy(
            name="r2_patience", title=f"R² with patience {patience} and least improvement {min_delta:g}",
            formula="best > previous + min_delta; stop when wait >= patience", columns=("r2",),
            source="the source's run 4; Prechelt 1998, doi:10.1007/3-540-49430-8_3",
            choose=lambda h: monitored("r2_patience", h, h.get("r2"), patience=patience, min_delta=min_delta),
        ),
        Policy(
            name=floor_name, title=f"highest R² with a std ratio of at least {floor:g}",
            formula=f"argmax R² where α >= {floor:g}", columns=("r2", "variance_ratio"),
            source="proposed by the source (experiment 5C)",
            choose=lambda h: monitored(
                floor_name, h, h.get("r2"),
                eligible=[finite(a) and a is not None and a >= floor for a in h.get("variance_ratio")],
                nothing=f"no epoch with a std ratio of at least {floor:g}",
            ),
        ),
        Policy(
            name="composite", title="the source's composite", formula="argmax R² + 2(α - 0.7)",
            columns=("r2", "variance_ratio"), source="proposed by the source; rewards over-dispersion (best α = 1 + r)",
            choose=lambda h: monitored("composite", h, composite_values(h)),
        ),
        Policy(
            name="smoothed_r2", title=f"highest R² averaged over the last {SMOOTHING_WINDOW} epochs",
            formula=f"argmax of the trailing {SMOOTHING_WINDOW}-epoch mean of R²", columns=("r2",),
            source="moving average; trailing, so that a run could have followed it",
            choose=lambda h: _smoothed("smoothed_r2", SMOOTHING_WINDOW, h),
        ),
        Policy(
            name="one_standard_error", title="earliest epoch within one standard error of the highest R²",
            formula="first epoch with R² >= max R² - SE(max R²)", columns=("r2", "variance_ratio"),
            source="Breiman et al. 1984, Classification and Regression Trees, 3.4.3",
            choose=lambda h: _one_standard_error("one_standard_error", validation_n, h),
        ),
        Policy(
            name="max_r_recalibrated", title="highest correlation, then recalibrate",
            formula="argmax r; reaches R² = r²", columns=("pearson_r",),
            source="Murphy 1988: r² is what the best linear rescaling reaches",
            choose=lambda h: monitored("max_r_recalibrated", h, h.get("pearson_r")),
        ),
        Policy(
            name="ccc", title="highest concordance", formula="argmax 2rα / (1 + α² + β²)",
            columns=("pearson_r", "variance_ratio", "bias"), source="Lin 1989, doi:10.2307/2532051",
            choose=lambda h: monitored("ccc", h, ccc_values(h)),
        ),
        Policy(
            name="kge", title="highest Kling-Gupta efficiency", formula="argmax 1 - √((r-1)² + (α-1)² + β²)",
            columns=("pearson_r", "variance_ratio", "bias"),
            source="Gupta et al. 2009, doi:10.1016/j.jhydrol.2009.08.003; bias in σt as in Tang et al. 2021",
            choose=lambda h: monitored("kge", h, kge_values(h)),
        ),
        Policy(
            name="last", title="the last epoch", formula="no selection at all", columns=(),
            source="what is saved when nothing is monitored",
            choose=lambda h: PolicyPick(
                policy="last", epoch=h.epochs[-1] if len(h) else None, reason=None if len(h) else "no epochs"
            ),
        ),
    )  # fmt: skip
