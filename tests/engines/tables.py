"""Parquet files of per-epoch predictions, and what their figures must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl


def predictions(epochs: int, rows: int, *, offset: float = 0.0, seed: int = 0) -> pl.DataFrame:
    """``epoch, y_true, y_pred``: predictions that come nearer to the truth epoch by epoch."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=rows)
    return pl.concat(
        pl.DataFrame({
            "epoch": np.full(rows, epoch, dtype=np.int32),
            "y_true": true + offset,
            "y_pred": true * epoch / epochs + rng.normal(scale=0.5, size=rows) + offset,
        })
        for epoch in range(1, epochs + 1)
    )  # fmt: skip


def write(frame: pl.DataFrame, path: Path, group_rows: int = 997) -> Path:
    """The frame as Parquet with row groups of an odd size, so that pieces do not end where they do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path, row_group_size=group_rows)
    return path


def by_numpy(frame: pl.DataFrame) -> dict[int, tuple[float, float, float]]:
    """Epoch -> (R², std ratio, correlation), two passes over the rows in extended precision."""
    out = {}
    for (epoch,), part in frame.group_by("epoch"):
        true = part["y_true"].to_numpy().astype(np.longdouble)
        pred = part["y_pred"].to_numpy().astype(np.longdouble)
        t, p = true - true.mean(), pred - pred.mean()
        r2 = 1 - ((true - pred) ** 2).sum() / (t**2).sum()
        ratio = np.sqrt((p**2).sum() / (t**2).sum())
        r = (t * p).sum() / np.sqrt((t**2).sum() * (p**2).sum())
        out[int(str(epoch))] = (float(r2), float(ratio), float(r))
    return out
