"""From moments to runs: what came back is merged and becomes each run's history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.engines.engine import Engine, Outcome
from runreport.engines.objects import Object
from runreport.engines.pieces import KEYS, PIECE_BYTES, Piece, cut
from runreport.errors import InputError
from runreport.history import history_from_frame
from runreport.run import Note, Run

if TYPE_CHECKING:
    import polars as pl

_Part = tuple[tuple[str, str, int], "pl.DataFrame"]
"""(run, address, first row) and the moments."""
MAX_HELD_ROWS = 1_000_000
"""Rows of moments that pile up before they are merged (150 MB)."""


def runs_from(
    objects: Iterable[Object], engine: Engine, address: str | None = None, *, piece_bytes: int = PIECE_BYTES
) -> list[Run | InputError]:
    """Each run whose per-epoch predictions these objects hold, or the error that stands in its place.

    A run of which one piece failed is an error as a whole: figures of the rest would look whole and not be.

    Raises
    ------
    InputError
        As the engine does.
    """
    by_run = _by_run(objects)
    pieces: list[Piece] = []
    failed: dict[str, InputError] = {}
    for name, own in by_run.items():
        try:
            pieces += cut(own, piece_bytes)
        except InputError as error:
            failed[name] = error
    metrics = _merged(engine.run(pieces, address), failed)
    return [failed[name] if name in failed else _run(name, own, metrics[name], engine) for name, own in by_run.items()]


def _by_run(objects: Iterable[Object]) -> dict[str, list[Object]]:
    runs: dict[str, list[Object]] = {}
    for item in objects:
        runs.setdefault(item.run, []).append(item)
    return runs


def _merged(outcomes: Iterable[Outcome], failed: dict[str, InputError]) -> dict[str, pl.DataFrame]:
    """Run -> its metrics, a row an epoch; the first error of a run goes to ``failed``."""
    import polars as pl

    from runreport.metrics.expressions import metrics_from_moments

    parts: list[_Part] = []
    held = 0
    seen: set[str] = set()
    for piece, moments in outcomes:
        seen.add(piece.run)
        if isinstance(moments, str):
            where, _, found = moments.partition(": ")
            failed.setdefault(piece.run, InputError(where, found=found))
            continue
        parts.append(((piece.run, piece.address, piece.first), moments))
        held += moments.height
        if held > MAX_HELD_ROWS:
            merged = _merge(parts)
            parts, held = [(("", "", 0), merged)], 0  # what was merged counts no more, else many epochs would never end
    if not parts:
        return {}
    tables = metrics_from_moments(
        _merge(parts).lazy(), KEYS, true_tolerance=pl.col("true_tolerance"), pred_tolerance=pl.col("pred_tolerance")
    ).collect()
    return {name: tables.filter(pl.col("run") == name).drop("run") for name in seen}


def _merge(parts: list[_Part]) -> pl.DataFrame:
    """One row of moments an epoch of a run. Parts are put in order first, so that the last digits do not depend on which
    machine answered first (but where there were too many to hold)."""
    import polars as pl

    from runreport.metrics.merging import merge_moments

    frame = pl.concat([moments for _, moments in sorted(parts, key=lambda part: part[0])])
    tolerances = frame.group_by(KEYS).agg(pl.col("true_tolerance", "pred_tolerance").max())
    return merge_moments(frame.lazy(), KEYS).collect().join(tolerances, on=KEYS, how="left").sort(KEYS)


def _run(name: str, objects: list[Object], metrics: pl.DataFrame, engine: Engine) -> Run | InputError:
    if metrics.is_empty():
        return InputError(objects[0].address, found="no rows", expected="a row for each epoch and sample")
    rows, dropped = int(metrics["n"].sum()), int(metrics["n_dropped"].sum())
    what = f"{rows:,} rows of {len(objects)} object{'s' if len(objects) > 1 else ''}"
    left_out = f", {dropped:,} rows without finite values left out" if dropped else ""
    note = f"every figure is computed from per-epoch predictions: {what}, by {engine.name}{left_out}"
    return Run(
        name=name,
        format="epoch-predictions",
        files={"epoch_predictions": Path(objects[0].address.rpartition("://")[2])},
        history=history_from_frame(metrics.with_columns(pred_range=metrics["pred_spread"])),
        split="validation",
        notes=(Note(code="derived", message=note),),
    )
