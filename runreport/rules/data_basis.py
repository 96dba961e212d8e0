"""What the final figures can be asked: estimates, intervals and tests, or the reason why one is missing."""

from __future__ import annotations

import math

from runreport.context import Context, Final
from runreport.findings import Value
from runreport.wording import listing, number, plural

NORMAL_95 = 1.959964
"""Half-width of a 95 % normal interval in standard errors; used only where no standard error or p-value was given."""

WARNING_P = 0.0027
"""A warning needs p below this (three standard errors). Some forty rules look at a run: at 0.05 most healthy runs would be
warned of something; a difference between 0.0027 and 0.05 is stated as information, with its interval."""

HUGE = 1e100
"""Beyond this a logged figure is not judged: its square no longer fits a float, and no fit is that bad by degrees."""

NAMES = {
    "r2": "R²",
    "pearson_r": "the correlation",
    "calibration_slope": "the calibration slope",
    "bias": "the bias",
    "variance_ratio": "the std ratio",
    "true_mean": "the true mean",
    "true_std": "the true std",
}
"""Estimates as the object of a sentence."""


def usable(value: float | None) -> bool:
    """Whether a figure is there, finite and small enough to be squared.

    >>> usable(1e12), usable(float("nan")), usable(None), usable(1e200)
    (True, False, False, False)
    """
    return value is not None and math.isfinite(value) and abs(value) < HUGE


def finite_or_none(value: float | None) -> float | None:
    """The value as evidence may carry it: finite, else None.

    >>> finite_or_none(0.5), finite_or_none(float("inf")), finite_or_none(None)
    (0.5, None, None)
    """
    return value if value is not None and math.isfinite(value) else None


def estimate(final: Final | None, name: str) -> float | None:
    """A usable estimate of the final figures, else None."""
    value = final[name] if final is not None else None
    return value if usable(value) else None


def finite_interval(final: Final | None, name: str) -> tuple[float, float] | None:
    """The 95 % interval of an estimate where both ends are numbers, else None."""
    bounds = final.interval(name) if final is not None else None
    if bounds is None or not all(math.isfinite(bound) for bound in bounds):
        return None
    return bounds


def why_not(final: Final | None, *names: str, interval: bool = True) -> str | None:
    """Why these estimates (and, if asked, their intervals) cannot be used; None where they all can."""
    if final is None:
        return "no predictions and no final figures"
    missing = [NAMES.get(name, name) for name in names if estimate(final, name) is None]
    if missing:
        if final.basis == "predictions":
            return f"{listing(missing)} cannot be computed: predictions or truth do not vary"
        source = "summary" if final.basis == "summary" else "log"
        return f"no predictions, and the {source} does not give {listing(missing, 'or')}"
    if not interval:
        return None
    for name in names:
        if finite_interval(final, name) is None:
            if final.basis == "history" or final.n is None:
                return "no predictions and no sample count, so no interval"
            if final.basis == "predictions" and final.caveats:
                return f"no interval of {NAMES.get(name, name)}: {final.caveats[0].rstrip('.')}"
            return f"no interval of {NAMES.get(name, name)} at n = {final.n}"
    return None


def standard_error(final: Final, name: str) -> float | None:
    """Standard error of an estimate: as given, else a quarter of its 95 % interval's width (1/3.92, normal theory)."""
    given = final.standard_errors.get(name)
    if given is not None and math.isfinite(given) and given > 0:
        return given
    bounds = finite_interval(final, name)
    if bounds is None or bounds[1] <= bounds[0]:
        return None
    return (bounds[1] - bounds[0]) / (2 * NORMAL_95)


def p_value(final: Final, name: str, null: float) -> float | None:
    """Two-sided p-value of an estimate against ``null``: as given, else by normal theory from the standard error."""
    given = final.p_values.get(name)
    if given is not None and math.isfinite(given):
        return given
    value, error = estimate(final, name), standard_error(final, name)
    if value is None or error is None:
        return None
    return math.erfc(abs(value - null) / error / math.sqrt(2))


def resolved(value: float, scale: float) -> str:
    """A number with enough digits to tell it from others that lie ``scale`` away: 3 digits of the scale.

    >>> resolved(10001.23, 2.5), resolved(0.12345, 1.0), resolved(5.0, 0.0)
    ('10001.23', '0.123', '5.00')
    """
    if not (usable(value) and usable(scale)) or scale <= 0 or value == 0:
        return number(value)
    digits = 3 + math.ceil(math.log10(abs(value) / scale)) if abs(value) > scale else 3
    return number(value, min(digits, 15))


def place(final: Final) -> str:
    """Where the final figures were taken, to open a sentence with.

    >>> place(Final(split="test", basis="predictions", estimates={}))
    'On the test set'
    """
    return f"On the {split_name(final.split)} set"


def split_name(split: str) -> str:
    """A split as people call it.

    >>> split_name("val"), split_name("test")
    ('validation', 'test')
    """
    return {"val": "validation", "valid": "validation", "eval": "validation"}.get(split, split)


def split_key(split: str) -> str:
    """A split as the run's own summary calls it.

    >>> split_key("validation"), split_key("test")
    ('val', 'test')
    """
    return {"validation": "val", "valid": "val", "eval": "val"}.get(split, split)


def sample_count(final: Final) -> str:
    """The sample count in words, with the effective one where it is markedly smaller.

    >>> sample_count(Final(split="test", basis="predictions", estimates={}, n=144, effective_n=31.4))
    'n = 144, worth 31 independent ones for the correlation'
    """
    if final.n is None:
        return "n unknown"
    worth = final.effective_n
    if worth is not None and math.isfinite(worth) and worth < 0.9 * final.n:
        return f"n = {final.n}, worth {worth:.0f} independent ones for the correlation"
    return f"n = {final.n}"


def evidence_of(final: Final, *names: str) -> dict[str, Value]:
    """Estimates and intervals by name, with the sample count, as evidence of a finding."""
    facts: dict[str, Value] = {"basis": final.basis, "n": final.n, "effective_n": finite_or_none(final.effective_n)}
    for name in names:
        facts[name] = finite_or_none(final[name])
        bounds = finite_interval(final, name)
        if bounds is not None:
            facts[f"{name}_interval"] = [bounds[0], bounds[1]]
    return facts


def effective_count(final: Final) -> float | None:
    """How many independent samples the correlation is worth: the effective count where known, else n.

    A mean is worth fewer where truth and error each repeat themselves: Σ ρ(k) against r's Σ ρ_true(k)·ρ_pred(k).
    """
    if final.effective_n is not None and math.isfinite(final.effective_n) and final.effective_n > 0:
        return final.effective_n
    return float(final.n) if final.n is not None else None


def judged_epoch(context: Context, epochs: tuple[int | float, ...]) -> tuple[int | float, bool]:
    """The epoch a run is judged by (the saved one where known and logged, else the last), and whether it is saved."""
    if context.saved_epoch is not None and context.saved_epoch in epochs:
        return context.saved_epoch, True
    return epochs[-1], False


def too_few_epochs(count: int, needed: int, what: str) -> str:
    """The reason for not judging a history that is too short.

    >>> too_few_epochs(2, 3, "a std ratio")
    '2 epochs with a std ratio; needs at least 3'
    """
    return f"{plural(count, 'epoch')} with {what}; needs at least {needed}"
