"""What a run's own figures say that it did not log, and a column that is not what its name says: worked out, and said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from runreport.history import History, Number
from runreport.ingest.table import bounded
from runreport.run import Note, Run

CLOSE = 0.02
"""Relative difference up to which a logged quotient is the one of the logged spreads: loggers round to two digits or more,
and a ratio and its square differ by less only within 2 % of 1."""
TELLING = 0.1
"""Distance of a ratio from 1 from which it and its square are told apart with certainty (by a tenth and more)."""
NATIVE = "native"
"""The reader of this project's own files, whose columns are defined (docs/formats.md)."""
ROUNDING = 0.006
"""Absolute difference that two digits after the point explain."""


def with_derived(run: Run) -> Run:
    """The run with what its figures determine: R² of an MSE and the spread of the truth, a ratio out of a quotient of variances.

    A log that was cut off is a finding about a training; a file of predictions that was is none, so its note is renamed.
    """
    history = run.history
    if history is None:
        return _with_final_r2(replace(run, notes=of_predictions(run.notes)))
    said: list[Note] = []
    history = _with_r2(_with_ratio(history, said, named=run.format == NATIVE), said)
    if said:
        run = replace(run, history=history, notes=(*run.notes, *said))
    return _with_final_r2(run)


def of_predictions(notes: Sequence[Note]) -> tuple[Note, ...]:
    """Notes about a file of predictions under codes of their own: a row cut off there says nothing about the training."""
    return tuple(
        replace(note, code=note.code.replace("log.", "predictions.", 1)) if note.code.startswith("log.") else note
        for note in notes
    )


def _with_ratio(history: History, said: list[Note], *, named: bool) -> History:
    """``variance_ratio`` as a ratio of standard deviations: its square root where it is shown to be a quotient of variances.

    ``named``: the format defines the column as the ratio, so that its writer is at fault; elsewhere a column called so may
    rightly hold the quotient.
    """
    needed = ("variance_ratio", "pred_std", "true_std")
    if not all(name in history.columns for name in needed):
        return history
    rows = zip(*(history.columns[name] for name in needed), strict=True)
    numbers = [found for row in rows if (found := _finite(*row)) is not None]
    told = [
        (logged, pred / true)
        for logged, pred, true in numbers
        if pred >= 0 and true > 0 and abs(pred / true - 1) > TELLING
    ]
    if not told or not all(_same(logged, ratio**2) and not _same(logged, ratio) for logged, ratio in told):
        return history
    values = tuple(
        v if v is None or math.isnan(v) else math.sqrt(v) if v >= 0 else math.nan for v in history.get("variance_ratio")
    )
    message = "the column of the std ratio holds quotients of variances, as pred_std and true_std show: its square root was taken"
    said.append(Note(code="log.inconsistent" if named else "derived", message=message))
    return replace(history, columns={**history.columns, "variance_ratio": values})


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=CLOSE, abs_tol=ROUNDING)


def _with_r2(history: History, said: list[Note]) -> History:
    """R² = 1 - MSE / Var(y_true) of each epoch, where it is not logged and both are."""
    if history.has("r2") or not history.has("true_std"):
        return history
    name = next((n for n in ("mse", "rmse") if history.has(n)), None)
    if name is None:
        return history
    errors = [v if name == "mse" or v is None else v * abs(v) for v in history.get(name)]
    if _other_unit(errors, history.get("pred_std"), history.get("true_std")):
        message = f"R² was not worked out of {name} and true_std: they are of different units, as pred_std shows"
        said.append(Note(code="derived", message=message))
        return history
    values = tuple(_r2(error, true) for error, true in zip(errors, history.get("true_std"), strict=True))
    formula = "1 - mse / true_std²" if name == "mse" else "1 - rmse² / true_std²"
    said.append(Note(code="derived", message=f"R² was not logged and was worked out: {formula}"))
    return replace(history, columns={**history.columns, "r2": values})


def _r2(error: Number, true: Number) -> Number:
    known = _finite(error, true)
    if known is None or known[0] < 0 or known[1] <= 0:
        return None
    return bounded(1 - known[0] / known[1] ** 2)


def _other_unit(errors: Sequence[Number], preds: Sequence[Number], trues: Sequence[Number]) -> bool:
    """Whether an MSE is smaller than the spreads allow: MSE = (bias)² + (σp - σt)² + 2 σp σt (1 - r) (Murphy 1988)."""
    known = (_finite(*row) for row in zip(errors, preds, trues, strict=True))
    return any(e < (1 - CLOSE) * (pred - true) ** 2 - CLOSE * true**2 for e, pred, true in (k for k in known if k))


def _with_final_r2(run: Run) -> Run:
    """The same for the final figures."""
    figures = run.summary
    if "r2" in figures:
        return run
    mse, rmse, true = (figures.get(name) for name in ("mse", "rmse", "true_std"))
    error = mse if isinstance(mse, float) else rmse * abs(rmse) if isinstance(rmse, float) else None
    value = _r2(error, true) if isinstance(true, float) else None
    if value is None or not math.isfinite(value):
        return run
    note = Note(code="derived", message="the final R² was not logged and was worked out of the error and true_std")
    return replace(run, summary={**figures, "r2": value}, notes=(*run.notes, note))


def _finite(*values: Number) -> list[float] | None:
    """The values, where every one is a finite number."""
    found = [v for v in values if v is not None and math.isfinite(v)]
    return found if len(found) == len(values) else None
