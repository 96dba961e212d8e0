"""What would show a piece of advice wrong, as tests that a program can make on the next run's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runreport.advice.evidence import Evidence
    from runreport.advice.record import Advice

BIAS_GONE = 0.1
"""|β| that counts as removed: it costs β² = 0.01 of R², the least that this report calls noticeable."""
NOT_TO_RETURN = frozenset(
    {"lr.warmup-never-ended", "lr.too-high", "lr.too-low", "lr.frozen", "lr.config-mismatch", "loss.not-finite",
     "loss.divergence", "gradient.exploding", "gradient.vanishing", "range.saturated", "penalty.dominates",
     "penalty.batch-bias", "collapse.constant", "scale.mismatch", "selection.wrong-pick", "fit.overfit"}
)  # fmt: skip
"""Rules about a fault that a change of settings removes; found again after the change, the change did not do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One test on the next run; the advice is refuted if it comes true.

    rule
        Comes true if this rule is found again, at warning or above.
    metric, low, high, absolute
        Comes true if the final figure (its absolute value) lies within [low, high]; None is without that bound.
    """

    rule: str | None = None
    metric: str | None = None
    low: float | None = None
    high: float | None = None
    absolute: bool = False

    def record(self) -> Mapping[str, object]:
        """As JSON has it."""
        if self.rule is not None:
            return {"rule": self.rule}
        return {"metric": self.metric, "low": self.low, "high": self.high, "absolute": self.absolute}


R_MUST_RISE = frozenset(
    {
        "lr.repair-warmup",
        "lr.raise",
        "lr.repair",
        "fit.regularise",
        "fit.lower-decay",
        "signal.add",
        "signal.carry-over",
    }
)
"""Advice whose own words name r of the next run: a rise within this run's interval cannot be told from none."""
R2_MUST_RISE = frozenset(
    {"selection.change-policy", "selection.wait-longer", "fit.train-longer", "spread.recalibrate-narrow",
     "spread.recalibrate-wide"}
)  # fmt: skip
"""Advice whose own words name R² on rows that nothing was chosen on."""


def refutation(advice: Advice, evidence: Evidence) -> tuple[Condition, ...]:
    """The tests of one piece of advice, after its words in ``refuted_if``; empty where no report can show it wrong.

    Any advice is wrong where the fault that it rests on is found again. Beyond that: what its own words name, as far as a
    figure of the next report can say it.
    """
    tests = [Condition(rule=rule) for rule in advice.because if rule in NOT_TO_RETURN]
    bounds = evidence.interval("pearson_r")
    r2, alpha = evidence.value("r2"), evidence.value("variance_ratio")
    if advice.id in R_MUST_RISE and bounds is not None:
        tests.append(Condition(metric="pearson_r", high=bounds[1]))
    if advice.id == "penalty.drop" and bounds is not None:
        tests.append(Condition(metric="pearson_r", high=bounds[0]))
    if advice.id == "penalty.remove" and alpha is not None:
        tests.append(Condition(metric="variance_ratio", low=alpha))
    if advice.id == "bias.remove":
        tests.append(Condition(metric="bias", low=BIAS_GONE, absolute=True))
    if (advice.id in R2_MUST_RISE or advice.id == "penalty.remove") and r2 is not None:
        tests.append(Condition(metric="r2", high=r2))
    return tuple(tests)
