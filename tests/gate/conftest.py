"""Runs with a known verdict, on disk: what the gate's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.criteria.spec import Tier, parse_criterion
from runreport.ingest.load import load_runs
from runreport.run import Run

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """``made(name, noise=..., shift=...)`` writes a run's history and predictions and returns the history's path.

    Every run predicts the same 240 independent samples: truth + ``shift`` + noise of that standard deviation, scaled to
    be calibrated. With ``shift=3`` the mean is off by three standard deviations of the truth: critical.
    """
    monkeypatch.chdir(tmp_path)

    def write(
        name: str, *, noise: float = 0.5, shift: float = 0.0, seed: int = 1, n: int = 240, predictions: bool = True
    ) -> Path:
        folder = tmp_path / Path(name).parent
        folder.mkdir(parents=True, exist_ok=True)
        truth = np.random.default_rng(0).normal(0.0, 1.0, n)
        pred = truth + np.random.default_rng(seed).normal(0.0, noise, n)
        pred = pred / (1 + noise**2) + shift
        r2 = 1 - ((truth - pred) ** 2).mean() / truth.var()
        ratio = pred.std() / truth.std()
        rows = [f"{e},{1 - r2 + 0.3 / e:.6f},{r2 - 0.3 / e:.6f},{ratio:.6f},0.001" for e in range(1, 31)]
        path = tmp_path / f"{name}.csv"
        path.write_text("epoch,val_loss,r2,variance_ratio,learning_rate\n" + "\n".join(rows) + "\n")
        if predictions:
            body = "".join(f"{t:.9f},{p:.9f}\n" for t, p in zip(truth, pred, strict=True))
            path.with_name(f"predictions_{path.name}").write_text("y_true,y_pred\n" + body)
        return path

    return write


@pytest.fixture
def analysed() -> Callable[..., Analysis]:
    """``analysed(path, tiers=None)``: the one run of a file, analysed."""

    def analyse(path: Path, tiers: tuple[Tier, ...] | None = None) -> Analysis:
        (run,) = load_runs([str(path)])
        assert isinstance(run, Run)
        return analyze_run(run, tiers=tiers)

    return analyse


@pytest.fixture
def tier() -> Callable[..., Tier]:
    """``tier(name, *conditions)``: a tier of criteria."""

    def read(name: str, *conditions: str) -> Tier:
        criteria = tuple(c for text in conditions if (c := parse_criterion(text)) is not None)
        assert len(criteria) == len(conditions)
        return Tier(name=name, criteria=criteria)

    return read
