"""The audit: on published figures, with counts only, and with per-epoch predictions whose truth is known."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from runreport.context import EpochPredictions, History, history_of
from runreport.run import Run
from runreport.selection.audit import PROVEN_R2, audit
from runreport.selection.held_out import recomputed_history

R2_POLICY = {"monitor": "r2", "mode": "max", "patience": 10, "min_delta": 0.0005}


def run(saved: int | None, n: int | None = None, **config: object) -> Run:
    summary: dict[str, object] = {"policy": R2_POLICY}
    if saved is not None:
        summary["selected_epoch"] = saved
    if n is not None:
        summary["splits"] = {"val": {"n": n}}
    return Run(name="a", format="native", files={}, summary=summary, config=config)


def predictions(seed: int, correlations: list[float], n: int = 144, groups: int | None = None) -> EpochPredictions:
    """Calibrated predictions (α = r) of independent normal truth, one row of noise an epoch plus a shared one."""
    rng = np.random.default_rng(seed)
    truth, shared = rng.normal(size=n), rng.normal(size=n)
    rows = []
    for r in correlations:
        noise = 0.9 * shared + np.sqrt(1 - 0.81) * rng.normal(size=n)
        rows.append(r * (r * truth + np.sqrt(1 - r * r) * noise))
    labels = None if groups is None else np.repeat(np.arange(groups), n // groups)
    return EpochPredictions(epochs=tuple(range(1, len(rows) + 1)), y_true=truth, y_pred=np.array(rows), groups=labels)


def logged(p: EpochPredictions) -> History:
    return recomputed_history(p, history_of(p.epochs))


def test_run_4_with_its_sample_count_cannot_be_decided(run4: History) -> None:
    result = audit(run(37, n=144, max_epochs=50), run4)
    assert result.verdict == "indistinguishable"
    assert result.indistinguishable == (30, 37, 47)
    assert result.needs == "the predictions of epochs 30, 37 and 47 on held-out samples"
    assert {c.epoch: c.policies for c in result.comparisons} == {
        1: ("r2_floor_0.4",),
        30: ("composite",),
        47: ("last",),
    }
    last = next(c for c in result.comparisons if c.epoch == 47)
    assert last.delta_r2 == pytest.approx(-0.0235)
    assert last.lower is not None
    assert not last.held_out
    first = next(c for c in result.comparisons if c.epoch == 1)
    assert first.interval is not None
    assert first.interval[1] < 0
    assert result.policy_gaps
    assert result.stopped_early


def test_run_4_without_a_sample_count_is_unknown(run4: History) -> None:
    result = audit(run(37), run4)
    assert result.verdict == "unknown"
    assert result.indistinguishable is None
    assert result.basis is None
    assert result.needs is not None
    assert result.needs.endswith("or at least the number of validation samples")


def test_the_test_count_stands_in_and_is_marked(run4: History) -> None:
    summary = {"selected_epoch": 37, "num_samples": 144, "policy": R2_POLICY}
    result = audit(Run(name="a", format="native", files={}, summary=summary), run4)
    assert (result.validation_n, result.n_assumed) == (144, True)
    assert result.verdict == "indistinguishable"
    assert not audit(run(37, n=144), run4).n_assumed


def test_an_unknown_saved_epoch_is_not_guessed(run4: History) -> None:
    result = audit(run(None, n=144), run4)
    assert (result.saved, result.saved_from, result.inferred) == (None, "unknown", 37)
    assert result.verdict == "unknown"
    assert result.comparisons == ()
    assert result.needs == "the epoch that was saved (selected_epoch in the run's metrics file)"


def test_when_every_policy_agrees_the_pick_is_supported() -> None:
    history = history_of([1, 2, 3], r2=[0.1, 0.2, 0.3], val_loss=[3.0, 2.0, 1.0])
    assert audit(run(3), history).verdict == "supported"


@pytest.mark.parametrize("history", [None, history_of([]), history_of([1, 2], train_loss=[1.0, 0.5])])
def test_nothing_to_replay_is_unknown(history: History | None) -> None:
    result = audit(run(1), history)
    assert result.verdict == "unknown"
    assert result.needs == "a history with val_loss or r2"


def test_far_worse_picks_are_told_apart_from_figures_alone() -> None:
    history = history_of(
        [1, 2, 3], r2=[-4.0, 0.6, 0.1], variance_ratio=[1.0, 0.78, 0.8], bias=[1.9, 0.0, 0.5], val_loss=[5.0, 0.4, 0.9]
    )
    result = audit(run(2, n=2000), history)
    assert result.verdict == "supported"
    assert result.indistinguishable == (2,)


def test_a_planted_wrong_pick_is_proven_out_of_bag() -> None:
    p = predictions(0, [0.1, 0.2, *np.linspace(0.3, 0.7, 18)])
    result = audit(run(1), logged(p), p, resamples=400)
    assert result.verdict == "wrong-pick"
    proven = [c for c in result.comparisons if c.held_out and c.lower is not None and c.lower > PROVEN_R2]
    assert proven
    assert all(c.p_value is not None and c.p_value < 0.001 for c in proven)
    # True R² of α = r predictions is r²: 0.49 at the end against 0.01.
    assert all(c.interval is not None and c.interval[0] < 0.49 - 0.01 < c.interval[1] for c in proven if c.epoch > 17)


def test_equal_epochs_are_never_a_wrong_pick() -> None:
    for seed in range(8):
        p = predictions(seed, [0.5] * 12)
        result = audit(run(1 + seed), logged(p), p, resamples=200)
        assert result.verdict in ("indistinguishable", "supported")
        assert result.optimism is not None


def test_the_truly_best_epoch_is_among_the_indistinguishable() -> None:
    held = 0
    for seed in range(20):
        p = predictions(100 + seed, [0.3, 0.45, 0.5, 0.48, 0.4, 0.2])
        result = audit(run(3), logged(p), p, resamples=200)
        held += 3 in (result.indistinguishable or ())
    assert held >= 18  # 95 % nominal


def test_predictions_fill_picks_that_the_log_lacks() -> None:
    p = predictions(0, [0.2, 0.4, 0.6, 0.5, 0.3])
    result = audit(run(3), history_of(p.epochs, val_loss=[5.0, 4.0, 3.0, 2.0, 1.0]), p, resamples=50)
    by_name = {pick.policy: pick.epoch for pick in result.picks}
    assert by_name["min_val_loss"] == 5
    assert by_name["max_r_recalibrated"] == 3
    loss = next(c for c in result.comparisons if "min_val_loss" in c.policies)
    assert not loss.held_out  # a loss cannot be run again from predictions


def test_few_groups_are_refused_with_the_reason() -> None:
    p = predictions(0, [0.2, 0.6, 0.5], groups=3)
    result = audit(run(1), logged(p), p, resamples=50)
    assert result.verdict == "unknown"
    assert result.refused is not None
    assert "fewer than 6" in result.refused
    assert all(c.interval is None and c.delta_r2 is not None for c in result.comparisons)


def test_an_epoch_that_diverged_does_not_cost_the_others_their_rows() -> None:
    p = predictions(0, [0.2, 0.6, 0.5, 0.4, 0.3])
    broken = p.y_pred.copy()
    broken[4] = np.nan
    p = EpochPredictions(epochs=p.epochs, y_true=p.y_true, y_pred=broken)
    result = audit(run(2), logged(p), p, resamples=50)
    assert result.best == 2
    assert 5 not in (result.indistinguishable or ())
    assert result.verdict in ("indistinguishable", "supported")


def test_the_same_seed_gives_the_same_audit() -> None:
    p = predictions(3, [0.2, 0.6, 0.5])
    assert audit(run(1), logged(p), p, seed=4, resamples=100) == audit(run(1), logged(p), p, seed=4, resamples=100)


def test_numpy_is_not_imported_without_predictions() -> None:
    code = (
        "import sys; from runreport.selection.audit import audit; from runreport.run import Run;"
        "from runreport.context import history_of; import runreport.rules.selection;"
        "audit(Run(name='a', format='n', files={}, summary={'selected_epoch': 1, 'splits': {'val': {'n': 9}}}),"
        "history_of([1, 2], r2=[0.1, 0.2], variance_ratio=[0.5, 0.5]));"
        "print('numpy' in sys.modules or 'polars' in sys.modules or 'scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
