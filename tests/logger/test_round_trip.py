"""What the logger writes, the report reads: the same figures on both sides."""

from pathlib import Path

import numpy as np
import pytest

from runreport.analysis.engine import analyze_run
from runreport.ingest.load import load_runs
from runreport.logger import RunLogger
from runreport.run import Run


def _logged(folder: Path, dtype: type) -> tuple[dict[int, dict[str, object]], dict[str, object]]:
    """A made-up run of 12 epochs that learns slowly, 8 groups of 18 samples in each split; returns what was logged."""
    rng = np.random.default_rng(20241020)
    val_true, test_true = (0.937 + 0.4827 * rng.normal(size=144) for _ in range(2))
    names = np.repeat([f"flight_{i}" for i in range(8)], 18)
    rows: dict[int, dict[str, object]] = {}
    config = {"early_stopping": "r2", "patience": 10, "learning_rate": 1e-3, "max_epochs": 12}
    with RunLogger(
        "logged", out=folder, config=config, keep_predictions=True, val_groups={"flight_name": names}
    ) as log:
        for epoch in range(1, 13):
            share = 0.05 * epoch
            val_pred: np.ndarray = (0.9 + share * (val_true - 0.937) + 0.1 * rng.normal(size=144)).astype(dtype)
            loss = float(np.mean((val_pred - val_true) ** 2))
            rows[epoch] = dict(
                log.epoch(
                    epoch,
                    y_true=val_true.astype(dtype),
                    y_pred=val_pred,
                    train_loss=loss * 0.9,
                    val_loss=loss,
                    lr=1e-3,
                )
            )
        test_pred = 0.85 + 0.6 * (test_true - 0.937) + 0.1 * rng.normal(size=144)
        final = log.final(
            y_true=test_true.astype(dtype),
            y_pred=test_pred.astype(dtype),
            selected_epoch=12,
            groups={"flight_name": names},
        )
    return rows, final


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_report_says_what_was_logged(tmp_path: Path, dtype: type) -> None:
    rows, final = _logged(tmp_path, dtype)
    (run,) = load_runs([str(tmp_path)])
    assert isinstance(run, Run)
    assert set(run.files) == {"history", "predictions", "metrics", "epoch_predictions"}
    assert run.notes == ()
    analysis = analyze_run(run)
    history = analysis.context.history
    assert history is not None
    assert history.epochs == tuple(rows)
    for epoch, row in rows.items():
        for name, value in row.items():
            if name != "epoch":
                assert history.at(epoch, name) == value
    found = analysis.context.final
    assert found is not None
    assert (found.split, found.basis, found.n, found.n_groups) == ("test", "predictions", 144, 8)
    for name in ("r2", "variance_ratio", "pearson_r", "mae", "rmse", "pred_mean", "true_std", "mean_error"):
        assert found[name] == pytest.approx(final[name], rel=1e-12)
    assert analysis.context.saved_epoch == 12
    assert analysis.context.validation is not None
    assert analysis.context.validation["r2"] == pytest.approx(rows[12]["r2"], rel=1e-5)  # kept in float32
    said = {finding.rule for finding in analysis.findings}
    assert not {rule for rule in said if rule.startswith("log.")}
    clear = set(analysis.clear)
    assert "log.inconsistent" in clear


def test_without_groups_rows_count_as_one_sequence(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=60)
    with RunLogger("plain", out=tmp_path, keep_predictions=True) as log:
        for epoch in (1, 2, 3):
            log.epoch(epoch, y_true=true, y_pred=0.2 * epoch * true + 0.3 * rng.normal(size=60), val_loss=1.0 / epoch)
        log.final(y_true=true, y_pred=0.6 * true, selected_epoch=3)
    (run,) = load_runs([str(tmp_path / "plain.csv")])
    assert isinstance(run, Run)
    context = analyze_run(run).context
    assert context.final is not None
    assert context.final.group_column is None
    assert "r2" in context.final.intervals
    assert context.epoch_predictions is not None
    assert context.epoch_predictions.groups is None


def test_an_unfinished_run_is_read_from_its_history(tmp_path: Path) -> None:
    with RunLogger("broken", out=tmp_path) as log:
        for epoch in (1, 2, 3):
            log.epoch(epoch, y_true=[1.0, 2.0, 4.0], y_pred=[1.5, 2.0, 3.0], val_loss=0.5)
    (run,) = load_runs([str(tmp_path)])
    assert isinstance(run, Run)
    final = analyze_run(run).context.final
    assert final is not None
    assert final.basis == "history"
    # By hand: SSE 0.25 + 1 = 1.25; mean 7/3, SST 42/9.
    assert final["r2"] == pytest.approx(1 - 1.25 / (42 / 9))
