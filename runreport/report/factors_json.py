"""The ``factors`` of the JSON document's comparison: what each varied setting changed, over seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runreport.compare.design import Effect, Estimate, Summary
    from runreport.compare.record import Comparison


def design_document(comparison: Comparison) -> dict[str, Any]:
    """The keys that a design adds to the comparison: ``factors`` (empty without one) and ``design``."""
    design = comparison.design
    return {
        "design": {
            "runs": [{"run": name, "levels": p.levels, "seed": p.replicate} for name, p in design.places.items()],
            "left_out": design.left_out,
            "ignored": design.ignored,
        }
        if not isinstance(design, str)
        else None,
        "no_design": design if isinstance(design, str) else None,
        "factors": [_effect(e) for e in comparison.effects],
        "unpaired": comparison.unpaired,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    factor = effect.factor
    return {
        "keys": factor.keys,
        "numeric": factor.numeric,
        "balanced": factor.balanced,
        "levels": [
            {
                "label": level.label,
                "value": level.value,
                "runs": level.runs,
                "seeds": level.seeds,
                "without_r2": level.without_r2,
                "metrics": {m: _summary(s) for m, s in summaries.items()},
            }
            for level, summaries in zip(factor.levels, effect.summaries, strict=True)
        ],
        "changes": [
            {"from": factor.levels[c.low].label, "to": factor.levels[c.high].label, "metrics": _estimates(c.estimates)}
            for c in effect.contrasts
        ],
        "trends": _estimates(effect.trends),
        "test_samples": effect.sampling if isinstance(effect.sampling, int) else None,
        "no_sampling_noise": effect.sampling if isinstance(effect.sampling, str) else None,
    }


def _summary(s: Summary) -> dict[str, Any]:
    return {"seeds": s.n, "mean": s.mean, "std": s.std, "interval": s.interval, "range": [s.lowest, s.highest]}


def _estimates(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {
        metric: {
            "change": e.estimate,
            "interval": e.interval,
            "standard_error": e.se,
            "df": e.df,
            "p_value": e.p_value,
            "p_holm": e.p_holm,
            "told": e.told,
            "n": e.n,
            "paired": e.paired,
            "reason": e.reason,
            "sampling_standard_error": e.sampling_se,
            "interval_with_sampling": e.wide_interval,
            "p_holm_with_sampling": e.wide_p_holm,
        }
        for metric, e in estimates.items()
    }
