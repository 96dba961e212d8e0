"""What a change that gives the model more information should do to r, and what would show that it did not."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Expected
from runreport.wording import fixed, interval


def more_information(evidence: Evidence) -> Expected | None:
    """r should rise above what this run's interval allows; less cannot be told from no change."""
    bounds = evidence.interval("pearson_r")
    if bounds is None:
        return None
    return Expected(
        metric="pearson_r", low=bounds[1], high=1.0, basis="above the upper end of this run's 95 % interval of r"
    )


def r_refuted(evidence: Evidence, cause: str) -> str:
    """``cause``, or an r that cannot be told from this run's."""
    bounds = evidence.interval("pearson_r")
    if bounds is None:
        return f"{cause}, or r does not rise"
    return f"{cause}, or r of the next run stays within {interval(bounds)}"


def higher_r2(evidence: Evidence, basis: str, *, most: float = 1.0) -> Expected | None:
    """R² on the same held-out rows should rise above this run's, by ``most`` at most; None where it is not known."""
    r2 = evidence.value("r2")
    return None if r2 is None else Expected(metric="r2", low=r2, high=min(1.0, r2 + most), basis=basis)


def r2_refuted(evidence: Evidence) -> str:
    """An R² on the same held-out rows that is no higher than this run's."""
    r2 = evidence.value("r2")
    return "R² of the next run is not above " + (fixed(r2) if r2 is not None else "this run's")
