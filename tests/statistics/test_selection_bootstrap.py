"""The selection audit: what it must find, what it must not claim, and brute-force shares."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.metrics import r2_score

from runreport.statistics.moments import unit_moments
from runreport.statistics.selection_bootstrap import MIN_OPTIMISM_UNITS, audit_selection, ties_for_best, ties_with


def _best_r2(metrics: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray(np.argmax(metrics["r2"], axis=1))


def _epochs(quality: np.ndarray, n: int = 144, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true, shared = rng.normal(size=(2, n))
    own = np.sqrt(0.8) * shared + np.sqrt(0.2) * rng.normal(size=(quality.size, n))
    return true, 0.4 * (quality[:, None] * true + np.sqrt(1 - quality[:, None] ** 2) * own)


GROUPS = np.repeat(np.arange(12), 12)


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_a_clearly_better_epoch_is_proven(groups: np.ndarray | None) -> None:
    true, pred = _epochs(np.r_[0.1, np.full(8, 0.3), 0.8])
    found = audit_selection(true, pred, saved=0, pick=_best_r2, groups=groups)
    assert found.policy_pick == 9
    assert found.lo is not None
    assert found.lo > 0.02
    assert found.delta_r2 == pytest.approx(r2_score(true, pred[9]) - r2_score(true, pred[0]), abs=0.03)
    assert found.ties_for_best == (9,)
    assert found.ties_with_saved is not None
    assert 0 in found.ties_with_saved
    assert 9 not in found.ties_with_saved
    assert found.optimism == pytest.approx(0.0, abs=0.02)


def test_equal_epochs_are_not_ranked_and_the_pick_is_known_to_be_flattered() -> None:
    claims, kept, optimism, flattered = 0, 0, [], []
    for seed in range(60):
        true, pred = _epochs(np.full(20, 0.3), seed=seed)
        found = audit_selection(true, pred, saved=0, pick=_best_r2, groups=GROUPS, resamples=300)
        assert found.lo is not None
        assert found.ties_for_best is not None
        assert found.optimism is not None
        claims += found.lo > 0.02
        kept += 5 in found.ties_for_best
        optimism.append(found.optimism)
        r2 = 1 - ((pred - true) ** 2).mean(axis=1) / true.var(ddof=0)
        flattered.append(r2.max() - r2.mean())
    assert claims <= 4
    assert kept >= 54
    assert np.mean(optimism) == pytest.approx(np.mean(flattered), abs=0.012)
    assert np.mean(optimism) > 0.02


def test_fixed_policy_scores_that_epoch_exactly() -> None:
    true, pred = _epochs(np.linspace(0.1, 0.6, 6))
    found = audit_selection(true, pred, saved=1, pick=lambda m: np.full(len(m["r2"]), 4), groups=GROUPS, resamples=200)
    assert found.pick_share == (0.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert found.delta_r2 == pytest.approx(r2_score(true, pred[4]) - r2_score(true, pred[1]), abs=1e-12)
    assert found.optimism == pytest.approx(0.0, abs=1e-12)


def test_saved_policy_re_run_against_itself_is_no_difference() -> None:
    true, pred = _epochs(np.full(10, 0.3))
    saved = int(np.argmax([r2_score(true, epoch) for epoch in pred]))
    fair = audit_selection(true, pred, saved=saved, pick=_best_r2, saved_pick=_best_r2, groups=GROUPS)
    assert fair.delta_r2 == 0.0
    assert fair.p_value is None
    careful = audit_selection(true, pred, saved=saved, pick=_best_r2, groups=GROUPS)
    assert careful.delta_r2 is not None
    assert careful.delta_r2 < 0.0


def test_metrics_handed_to_the_policy_are_those_of_the_resample() -> None:
    true, pred = _epochs(np.linspace(0.1, 0.6, 3))
    seen: list[Mapping[str, np.ndarray]] = []

    def pick(metrics: Mapping[str, np.ndarray]) -> np.ndarray:
        seen.append(metrics)
        return np.zeros(len(metrics["r2"]), dtype=np.int64)

    audit_selection(true, pred + 5.0, saved=0, pick=pick, groups=GROUPS, resamples=50)
    assert seen[0]["r2"].shape == (1, 3)
    assert seen[0]["r2"][0] == pytest.approx([r2_score(true, epoch + 5.0) for epoch in pred], abs=1e-9)
    assert seen[1]["bias"].shape == (50, 3)
    assert {"r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "mae", "rmse", "ccc"} <= set(seen[1])
    assert seen[1]["bias"].mean() == pytest.approx(5.0, abs=0.6)


def test_ties_keep_identical_epochs_together() -> None:
    true, pred = _epochs(np.array([0.7, 0.1]))
    moments = unit_moments(true, np.stack([pred[0], pred[0], pred[1]]), GROUPS, 12)
    assert ties_for_best(moments, seed=1) == (0, 1)
    assert ties_with(moments, 1, seed=1) == (0, 1)
    assert ties_with(unit_moments(true, np.stack([pred[0], pred[0]]), GROUPS, 12), 0) == (0, 1)


def test_ordered_series_without_groups_uses_blocks() -> None:
    true, pred = _epochs(np.full(4, 0.3))
    found = audit_selection(true, pred, saved=0, pick=_best_r2, resamples=100)
    assert found.unit_kind.startswith("blocks of")
    assert found.unit_count >= 6
    rows = audit_selection(true, pred, saved=0, pick=_best_r2, resamples=100, ordered=False)
    assert (rows.unit_kind, rows.unit_count) == ("rows", 144)


def test_refusals() -> None:
    true, pred = _epochs(np.full(4, 0.3))
    few = audit_selection(true, pred, saved=0, pick=_best_r2, groups=np.arange(144) // 48)
    assert few.refused is not None
    assert "3 groups: fewer than 6" in few.refused
    assert few.delta_r2 is None
    constant = audit_selection(np.ones(144), pred, saved=0, pick=_best_r2)
    assert constant.refused == "y_true is constant: R² is undefined"
    short = audit_selection(true[:3], pred[:, :3], saved=0, pick=_best_r2)
    assert short.refused is not None
    broken = pred.copy()
    broken[2, 5] = np.nan
    assert audit_selection(true, broken, saved=0, pick=_best_r2, groups=GROUPS, resamples=50).n_dropped == 1
    with pytest.raises(ValueError, match="saved must be"):
        audit_selection(true, pred, saved=4, pick=_best_r2)
    with pytest.raises(ValueError, match="shape"):
        audit_selection(true, pred[0], saved=0, pick=_best_r2)
    with pytest.raises(ValueError, match="groups 1"):
        audit_selection(true, pred, saved=0, pick=_best_r2, groups=[1])


def test_same_seed_same_answer() -> None:
    true, pred = _epochs(np.full(5, 0.3))
    first = audit_selection(true, pred, saved=0, pick=_best_r2, seed=7, resamples=100)
    assert first == audit_selection(true, pred, saved=0, pick=_best_r2, seed=7, resamples=100)


def test_optimism_of_few_blocks_is_not_told() -> None:
    """AR(0.95) errors of 120 rows leave under 12 blocks: the mean was measured a sixth to two fifths too small there."""
    rng = np.random.default_rng(2)
    true, errors = rng.standard_normal(120), rng.standard_normal((5, 120))
    for i in range(1, 120):
        errors[:, i] = 0.95 * errors[:, i - 1] + 0.31 * errors[:, i]
    found = audit_selection(true, true + errors, saved=0, pick=_best_r2, resamples=100)
    assert 6 <= found.unit_count < MIN_OPTIMISM_UNITS
    assert found.optimism is None
    assert found.delta_r2 is not None


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
def test_looking_early_leaves_the_verdicts_as_all_resamples_give_them(
    spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {}
    for looks in ((128, 512), ()):
        monkeypatch.setattr("runreport.statistics.selection_bootstrap.LOOKS", looks)
        found = []
        for seed in range(6):
            quality = 0.4 + spread * np.random.default_rng(seed).random(40)
            true, pred = _epochs(quality, seed=seed)
            found.append(ties_for_best(unit_moments(true, pred, GROUPS, 12), seed=seed))
        kept[looks] = found
    # 240 epochs: one that 5 % of all resamples exceed is dropped early once in 700.
    differing = sum(len(set(a) ^ set(b)) for a, b in zip(*kept.values(), strict=True))
    assert differing <= 1
    assert sum(map(len, kept[()])) > 6
