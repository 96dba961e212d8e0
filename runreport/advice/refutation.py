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
class Test:
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


def refutation(advice: Advice, evidence: Evidence) -> tuple[Test, ...]:
    """The tests of one piece of advice; empty where nothing in a report of the next run could show it wrong.

    Advice on r is wrong where r does not pass the upper end of this run's interval: a rise within it is no rise that could
    be told from noise. Advice on α is wrong where the spread moved away from r, or R² fell; advice on β where the bias
    stayed. Any is wrong where the fault that it rests on is found again.
    """
    if not advice.because:
        return ()
    tests = [Test(rule=rule) for rule in advice.because if rule in NOT_TO_RETURN]
    bounds = evidence.interval("pearson_r")
    r2, alpha, r = evidence.value("r2"), evidence.value("variance_ratio"), evidence.value("pearson_r")
    if advice.acts_on == "r" and bounds is not None:
        tests.append(Test(metric="pearson_r", high=bounds[1]))
    if advice.acts_on == "beta":
        tests.append(Test(metric="bias", low=BIAS_GONE, absolute=True))
    if advice.acts_on == "alpha":
        if alpha is not None and r is not None:
            wider = alpha > r
            tests.append(
                Test(metric="variance_ratio", low=alpha) if wider else Test(metric="variance_ratio", high=alpha)
            )
        if r2 is not None:
            tests.append(Test(metric="r2", high=r2))
    return tuple(tests)
