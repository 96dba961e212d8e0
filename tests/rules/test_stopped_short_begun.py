"""selection.stopped-short by hardly any steps, by predictions that were still widening, and by the correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding
from runreport.rules.selection_patience import STOPPED_SHORT
from runreport.run import Run
from runreport.selection.audit import audit
from runreport.settings import Settings


def short(
    train_r2: Sequence[float] | None = (-3.4, -2.9),
    *,
    train_loss: Sequence[float] = (5.0, 4.8),
    r2: Sequence[float] = (-3.9, -3.5),
    rows: int | None = 160,
    batch: int | None = 32,
) -> Context:
    columns = {} if train_r2 is None else {"train_r2": list(train_r2)}
    history = history_of(range(1, len(train_loss) + 1), r2=list(r2), train_loss=list(train_loss), **columns)
    summary: dict[str, object] = {"stopped_because": "patience", "selected_epoch": 1}
    if rows is not None:
        summary["splits"] = {"train": {"n": rows}}
    config: dict[str, object] = {"max_epochs": 120} | ({} if batch is None else {"batch_size": batch})
    run = Run(name="a", format="native", files={}, summary=summary, config=config)
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=1)


def findings(context: Context) -> tuple[Finding, ...]:
    outcome = STOPPED_SHORT.check(context, STOPPED_SHORT.limits())
    return outcome.findings if isinstance(outcome, Checked) else ()


def test_a_run_of_ten_steps_has_hardly_begun() -> None:
    (finding,) = findings(short())
    assert finding.evidence["kind"] == "few_steps"
    assert finding.evidence["r2_ahead"] == 2.9
    assert (
        "at epoch 2 of 120: after 2 epochs, 10 optimizer steps (threshold 100) R² on its training rows was -2.900"
        in (finding.message)
    )
    assert "its train loss was falling (from 5.00 to 4.80)" in finding.message


def test_one_epoch_shows_no_course_and_is_judged_by_its_r2() -> None:
    (finding,) = findings(short([-0.4], train_loss=[5.0], r2=[-0.5]))
    assert "falling" not in finding.message


def test_without_rows_or_batch_size_three_epochs_count_as_few() -> None:
    (finding,) = findings(short(None, batch=None))
    assert "after 2 epochs R² on validation was -3.500" in finding.message
    losses = [5.0, 4.9, 4.8, 4.7]
    four = short([-3.4, -3.2, -3.0, -2.9], train_loss=losses, r2=[-3.9, -3.7, -3.6, -3.5], batch=None)
    assert not [f for f in findings(four) if f.evidence["kind"] == "few_steps"]


@pytest.mark.parametrize(
    "context",
    [
        short(rows=1600),  # 100 steps
        short(train_loss=[4.8, 5.0]),  # the loss rose: whatever ended it, not the end held it up
        short([-0.5, -0.01]),  # the mean does no better by anything noticeable
        short([0.2, 0.3]),
    ],
    ids=["steps", "loss rose", "at the mean", "learned"],
)
def test_near_misses_of_few_steps(context: Context) -> None:
    assert findings(context) == ()


RATIOS = [0.18, 0.22, 0.25, 0.29, 0.33, 0.37, 0.42, 0.45]


def widening(
    ratios: Sequence[float] = RATIOS, *, ratio: float = 0.42, patience: int = 2, why: str = "patience"
) -> Context:
    """A log whose R² has turned, and test predictions of r = 0.9 at this ratio."""
    rng = np.random.default_rng(3)
    true = rng.standard_normal(400)
    noise = rng.standard_normal(400)
    frame = pl.DataFrame({"y_true": true, "y_pred": ratio * (0.9 * true + 0.19**0.5 * noise)})
    n = len(ratios)
    r2 = [0.1 * i for i in range(n - 4)] + [0.5, 0.45, 0.44, 0.43]
    history = history_of(
        range(1, n + 1), r2=r2, train_loss=[2.0 - 0.1 * i for i in range(n)], variance_ratio=list(ratios)
    )
    summary: dict[str, object] = {
        "selected_epoch": n - 3,
        "stopped_because": why,
        "policy": {"monitor": "r2", "mode": "max", "patience": patience, "min_delta": 0.0},
    }
    run = Run(
        name="a", format="native", files={}, predictions=frame, split="test", summary=summary, config={"max_epochs": 60}
    )
    final = final_of(run, history, n - 3, Settings())
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=n - 3, final=final)


def test_predictions_that_were_still_widening() -> None:
    (finding,) = findings(widening())
    assert finding.evidence["kind"] == "widening"
    assert finding.message.startswith(
        "The predictions were still widening when early stopping ended it at epoch 8 of 60"
    )
    assert "from 18.0 % at epoch 1 to 45.0 % at the last" in finding.message
    # The gain is what rescaling alone would bring at the end of the slope's interval that is nearest to 1.
    assert 0.1 < float(finding.evidence["r2_ahead"]) < 0.5**2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "context",
    [
        widening(list(reversed(RATIOS))),
        widening(ratio=0.95),  # as wide as warranted, or wider
        widening(why="max_epochs"),
    ],
    ids=["narrowing", "wide", "its limit"],
)
def test_near_misses_of_widening(context: Context) -> None:
    assert not [f for f in findings(context) if f.evidence["kind"] == "widening"]


def correlated(patience: int) -> Context:
    n = 11
    r = [0.14, 0.18, 0.22, 0.26, 0.31, 0.36, 0.40, 0.45, 0.48, 0.52, 0.56]
    r2 = [-0.3, 0.05, -0.2, 0.04, 0.02, 0.12, 0.02, 0.15, 0.10, 0.02, 0.11]
    history = history_of(range(1, n + 1), r2=r2, pearson_r=r, train_loss=[2.0 - 0.1 * i for i in range(n)])
    summary: dict[str, object] = {
        "selected_epoch": 8,
        "stopped_because": "patience",
        "policy": {"monitor": "r2", "mode": "max", "patience": patience, "min_delta": 0.0},
    }
    run = Run(name="a", format="native", files={}, summary=summary, config={"max_epochs": 60})
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=8)


def test_a_correlation_that_rises_under_an_r2_that_jitters_speaks_against_a_short_patience_only() -> None:
    (finding,) = findings(correlated(3))
    assert finding.evidence["kind"] == "correlation"
    assert finding.message.startswith("The correlation was still rising")
    assert findings(correlated(5)) == ()
