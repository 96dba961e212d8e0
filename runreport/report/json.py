"""The JSON document that every other output is a rendering of. Names are fixed; see docs/json.md."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runreport.advice.record import Advice
from runreport.analysis.record import Analysis
from runreport.context import Final
from runreport.marks import plain
from runreport.report.factors_json import design_document

if TYPE_CHECKING:
    from runreport.compare.record import Comparison

SCHEMA_VERSION = "1.0"
FINAL_NAMES = (
    "r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "recalibrated_r2", "pred_spread", "mae", "rmse",
    "mape", "mean_error", "true_mean", "true_std", "true_min", "true_max", "pred_mean", "pred_std", "pred_min", "pred_max",
)  # fmt: skip
"""Figures of ``final``, always present, null where undefined or unknown."""


def document(analyses: Sequence[Analysis], comparison: Comparison | None = None) -> dict[str, Any]:
    """The whole document: plain JSON types, no NaN."""
    whole = {
        "schema_version": SCHEMA_VERSION,
        "runs": [run_document(a) for a in analyses],
        "comparison": comparison_document(comparison) if comparison is not None else None,
    }
    cleaned: dict[str, Any] = jsonable(whole)
    return cleaned


def to_json(content: Mapping[str, Any]) -> str:
    """Strict JSON text of plain JSON types (:func:`jsonable`), UTF-8, two spaces, one line end."""
    text = _indented(dict(content), "\n") + "\n"
    # A file name of other bytes than UTF-8 holds lone surrogates; \udcff is their escape in Python and in JSON alike.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _indented(value: Any, line: str) -> str:
    """``json.dumps(value, indent=2)``; ``line`` is the line end and the spaces before the closing bracket.

    With an indent Python's json yields every number and bracket through a generator a level; here each value is text at once.
    """
    kind = type(value)
    if kind is float and math.isfinite(value):
        return repr(value)
    if kind is str:
        return encode_basestring(value)
    if kind is int:
        return repr(value)
    if value is None:
        return "null"
    if kind not in (dict, list) or not value:
        return _SCALAR(value)
    inner = f"{line}  "
    if kind is dict:  # None is the commonest value of all: no call for it
        parts = [
            f"{encode_basestring(key)}: {'null' if item is None else _indented(item, inner)}"
            for key, item in value.items()
        ]
    else:
        parts = [_indented(item, inner) for item in value]
    opening, closing = "{}" if kind is dict else "[]"
    return f"{opening}{inner}{f',{inner}'.join(parts)}{line}{closing}"


_SCALAR = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def jsonable(value: Any) -> Any:
    """The value in plain JSON types: numbers that are not finite become None, paths and sets become text and lists."""
    if isinstance(value, float):  # first: most values are
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {str(k): None if v is None else jsonable(v) for k, v in value.items()}
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, set | frozenset):
        return sorted(jsonable(v) for v in value)
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    item = getattr(value, "item", None)  # a numpy scalar
    return jsonable(item()) if callable(item) else str(value)


def run_document(a: Analysis) -> dict[str, Any]:
    """One run."""
    final, budget, audit, history = a.final, a.budget, a.selection, a.history
    return {
        "run": a.run.name,
        "files": {kind: Path(path).as_posix() for kind, path in a.run.files.items()},
        "format": a.run.format,
        "split": final.split if final is not None else None,
        "n": final.n if final is not None else None,
        "effective_n": final.effective_n if final is not None else None,
        "group_column": final.group_column if final is not None else None,
        "n_groups": final.n_groups if final is not None else None,
        "epochs": {
            "first": history.epochs[0] if history is not None and len(history) else None,
            "last": history.epochs[-1] if history is not None and len(history) else None,
            "count": len(history) if history is not None else 0,
            "selected": a.context.saved_epoch,
            "selected_by": audit.saved_from if audit is not None else None,
        },
        "final": _final(final),
        "error_budget": None
        if budget is None
        else {
            "missing_information": budget.missing_information,
            "wrong_spread": budget.wrong_spread,
            "wrong_mean": budget.wrong_mean,
            "exact": budget.exact,
        },
        "history": [
            {"epoch": row.epoch}
            | dict(row.values)
            | {"bias": row.bias, "bias_bounds": row.bias_bounds, "r_lower_bound": row.r_lower_bound}
            for row in a.rows
        ],
        "selection": None if audit is None else _selection(a),
        "findings": [
            {
                "rule": f.rule,
                "severity": f.severity.value,
                "epoch": f.epoch,
                "message": f.message,
                "evidence": f.evidence,
                "split": f.split,
                "acts_on": f.acts_on,
                "recoverable_r2": f.recoverable,
                "p_value": f.p_value,
                "q_value": f.q_value,
            }
            for f in a.findings
        ],
        "not_checked": [{"rule": n.rule, "reason": n.reason} for n in a.not_checked],
        "clear": list(a.clear),
        "disabled": list(a.disabled),
        "criteria": [
            {
                "tier": j.tier,
                "criterion": j.criterion.text,
                "value": j.value,
                "verdict": j.verdict,
                "reason": j.reason,
                "within_noise": j.within_noise,
                "needs_r": j.needs_r,
                "needs_r_with_this_bias": j.needs_r_biased,
                "feasible": j.feasible,
            }
            for j in a.criteria
        ],
        "advice": [_advice(advice) for advice in a.advice],
        "notes": [{"code": n.code, "message": n.message, "epoch": n.epoch} for n in a.run.notes],
        "columns_read": a.run.columns_read,
    }


def _advice(advice: Advice) -> dict[str, Any]:
    expected = advice.expected
    return {
        "id": advice.id,
        "title": advice.title,
        "text": advice.text,
        "because": list(advice.because),
        "acts_on": advice.acts_on,
        "config_patch": advice.config_patch,
        "expected": None
        if expected is None
        else {
            "metric": expected.metric,
            "value": expected.value,
            "low": expected.low,
            "high": expected.high,
            "basis": expected.basis,
        },
        "refuted_if": advice.refuted_if,
        "refutation": [test.record() for test in advice.refutation],
        "ceiling_r2": advice.ceiling_r2,
    }


def _final(final: Final | None) -> dict[str, Any] | None:
    if final is None:
        return None
    return {
        **{name: final[name] for name in FINAL_NAMES},
        "basis": final.basis,
        "epoch": final.epoch,
        "derived": final.derived,
        "intervals": final.intervals,
        "standard_errors": final.standard_errors,
        "p_values": final.p_values,
        "bounds": final.bounds,
        "caveats": final.caveats,
    }


def _selection(a: Analysis) -> dict[str, Any]:
    audit = a.selection
    if audit is None:
        return {}
    return {
        "saved": audit.saved,
        "saved_from": audit.saved_from,
        "inferred": audit.inferred,
        "declared": None
        if audit.declared is None
        else {
            "monitor": audit.declared.monitor,
            "mode": audit.declared.mode,
            "patience": audit.declared.patience,
            "min_delta": audit.declared.min_delta,
            "floor": audit.declared.floor,
        },
        "policies": [{"policy": p.policy, "epoch": p.epoch, "score": p.score, "reason": p.reason} for p in audit.picks],
        "verdict": audit.verdict,
        "best": audit.best,
        "indistinguishable": audit.indistinguishable,
        "compared_with": [
            {
                "policies": c.policies,
                "epoch": c.epoch,
                "delta_r2": c.delta_r2,
                "interval": c.interval,
                "standard_error_range": c.se_range,
                "held_out": c.held_out,
            }
            for c in audit.comparisons
        ],
        "basis": audit.basis,
        "validation_n": audit.validation_n,
        "validation_n_assumed": audit.n_assumed,
        "optimism": audit.optimism,
        "needs": audit.needs,
    }


def comparison_document(c: Comparison) -> dict[str, Any]:
    """Several runs beside each other."""
    return {
        "runs": [
            {"run": name, **({"split": f.split, "n": f.n, **(_final(f) or {})} if f is not None else {})}
            for name, f in c.finals.items()
        ],
        "same_samples": c.same_samples,
        "refused": c.refused,
        "best": [{"metric": b.metric, "run": b.run, "value": b.value, "tied": b.tied} for b in c.best],
        "paired": None
        if c.paired is None
        else [
            {
                "metric": d.metric,
                "first": d.first,
                "second": d.second,
                "difference": d.estimate,
                "interval": [d.lo, d.hi] if d.lo is not None else None,
                "p_holm": d.p_holm,
                "minimum_detectable": d.minimum_detectable,
                "reason": d.reason,
            }
            for d in c.paired.differences
        ],
        "config_differences": c.config_differences,
        "without_config": c.without_config,
        "seed_groups": [
            {"runs": g.runs, "r2": g.r2, "interquartile_mean": g.interquartile_mean, "interval": g.interval}
            for g in c.seed_groups
        ],
        **design_document(c),
    }
