"""Paired comparison against scikit-learn, brute force and simulation."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score

from runreport.statistics.multiple import holm
from runreport.statistics.paired import PAIRED_METRICS, compare_paired, minimum_detectable_difference


def _models(n: int = 240, seed: int = 0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    noise = rng.normal(size=n)
    return true, {
        "weak": 0.3 * true + 0.5 * noise,
        "good": 0.7 * true + 0.3 * noise,
        "twin": 0.7 * true + 0.3 * noise + 0.05 * rng.normal(size=n),
    }


def test_estimates_are_differences_of_reference_metrics() -> None:
    true, models = _models()
    found = compare_paired(true, models)
    weak, good = models["weak"], models["good"]
    assert found.difference("weak", "good").estimate == pytest.approx(r2_score(true, good) - r2_score(true, weak))
    assert found.difference("weak", "good", "mae").estimate == pytest.approx(
        mean_absolute_error(true, good) - mean_absolute_error(true, weak)
    )
    assert found.difference("weak", "good", "pearson_r").estimate == pytest.approx(
        stats.pearsonr(true, good).statistic - stats.pearsonr(true, weak).statistic
    )
    assert found.difference("weak", "good", "variance_ratio").estimate == pytest.approx(
        np.log(good.std(ddof=0) / weak.std(ddof=0))
    )
    assert found.n == 240
    assert {item.metric for item in found.differences} == set(PAIRED_METRICS)
    with pytest.raises(KeyError):
        found.difference("good", "weak")


def test_independent_mae_difference_is_close_to_the_paired_t_test() -> None:
    """The log ratio of two errors and their difference agree to first order; far from 0 both are decided alike."""
    true, models = _models()
    found = compare_paired(true, models, ordered=False).difference("weak", "good", "mae")
    expected = stats.ttest_rel(np.abs(models["good"] - true), np.abs(models["weak"] - true))
    assert found.p_value is not None
    assert max(found.p_value, expected.pvalue) < 1e-12
    assert (found.lo, found.hi) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=0.02)


def test_error_ratio_by_deleting_groups() -> None:
    true, models = _models()
    codes = np.random.default_rng(1).permutation(np.repeat(np.arange(12), 20))
    shift = 1.5 * np.random.default_rng(2).normal(size=12)[codes]
    first, second = models["weak"] + shift, models["good"]
    found = compare_paired(true, {"a": first, "b": second}, groups=codes).difference("a", "b")

    def log_ratio(keep: np.ndarray) -> float:
        return float(np.log(((second - true)[keep] ** 2).mean() / ((first - true)[keep] ** 2).mean()))

    everything = np.ones(240, dtype=bool)
    full = log_ratio(everything)
    jackknife = np.sqrt(11 / 12 * sum((log_ratio(codes != g) - full) ** 2 for g in range(12)))
    assert found.df == pytest.approx(11.0)
    assert found.error_ratio == pytest.approx(np.exp(full), rel=1e-9)
    assert found.error_ratio_lo is not None
    assert found.error_ratio_hi is not None
    half = stats.t.ppf(0.975, 11) * jackknife
    assert np.log(found.error_ratio_lo) == pytest.approx(full - half, rel=1e-6)
    assert np.log(found.error_ratio_hi) == pytest.approx(full + half, rel=1e-6)


def test_clear_and_unclear_differences() -> None:
    true, models = _models()
    found = compare_paired(true, models)
    clear = found.difference("weak", "good")
    assert clear.lo is not None
    assert clear.lo > 0
    assert clear.probability_second_higher == 1.0
    p_values = [item.p_value for item in found.differences if item.metric == "r2"]
    assert [item.p_holm for item in found.differences if item.metric == "r2"] == pytest.approx(holm(p_values))
    unclear = found.difference("good", "twin")
    assert unclear.minimum_detectable is not None
    assert unclear.estimate is not None
    assert abs(unclear.estimate) < unclear.minimum_detectable < 0.1


def test_interval_and_p_value_decide_alike() -> None:
    rng = np.random.default_rng(11)
    decided = 0
    for _ in range(60):
        true, a, b = rng.normal(size=(3, 100))
        pair = {"a": 0.4 * true + 0.5 * a, "b": 0.4 * true + 0.42 * b}
        for item in compare_paired(true, pair, resamples=2).differences:
            assert item.lo is not None
            assert item.hi is not None
            assert item.p_value is not None
            assert (item.p_value < 0.05) == (item.lo > 0 or item.hi < 0), item.metric
            decided += item.p_value < 0.05
    assert 20 < decided < 220


def test_a_bad_model_does_not_drown_the_difference() -> None:
    """What the log ratio is for: R² of 0.77 against -0.84 on one autocorrelated flight of 144 samples."""
    rng = np.random.default_rng(3)
    true = np.empty(144)
    true[0] = rng.normal()
    for i in range(1, 144):
        true[i] = 0.9 * true[i - 1] + np.sqrt(1 - 0.81) * rng.normal()
    good = true + 0.45 * rng.normal(size=144)
    bad = 0.6 * rng.normal(size=144) + true.mean() + 0.7 * true.std()
    item = compare_paired(true, {"bad": bad, "good": good}).difference("bad", "good")
    assert item.estimate is not None
    assert item.estimate > 1
    assert item.p_value is not None
    assert item.p_value < 0.01
    assert item.lo is not None
    assert item.lo > 0


def test_false_claims_are_rare_and_the_stated_power_is_reached() -> None:
    rng = np.random.default_rng(5)
    false_claims, found, detectable = 0, 0, []
    for _ in range(200):
        true, noise_a, noise_b = rng.normal(size=(3, 144))
        equal = compare_paired(true, {"a": 0.4 * true + 0.5 * noise_a, "b": 0.4 * true + 0.5 * noise_b}, resamples=2)
        item = equal.difference("a", "b")
        false_claims += item.p_value is not None and item.p_value < 0.05
        detectable.append(item.minimum_detectable or np.nan)
    distance = float(np.mean(detectable))
    for _ in range(200):
        true, noise_a, noise_b = rng.normal(size=(3, 144))
        worse, better = np.sqrt(0.25 + distance / 2), np.sqrt(0.25 - distance / 2)
        unequal = compare_paired(
            true, {"a": 0.4 * true + worse * noise_a, "b": 0.4 * true + better * noise_b}, resamples=2
        )
        item = unequal.difference("a", "b")
        found += item.p_value is not None and item.p_value < 0.05
    # Nominal 10 of 200 with a standard deviation of 3; power 80 % with one of 2.8 points.
    assert false_claims <= 18
    assert 0.7 <= found / 200 <= 0.95


def test_refusals_and_undefined() -> None:
    true, models = _models()
    refused = compare_paired(true, models, groups=np.arange(240) // 60)
    assert refused.refused is not None
    assert "4 groups" in refused.refused
    item = refused.difference("weak", "good")
    assert item.estimate is not None
    assert (item.lo, item.p_value, item.reason) == (None, None, refused.refused)
    flat = compare_paired(true, {"a": models["weak"], "b": np.zeros(240)})
    assert flat.difference("a", "b", "pearson_r").estimate is None
    assert flat.difference("a", "b", "variance_ratio").estimate is None
    assert flat.difference("a", "b").lo is not None
    same = compare_paired(true, {"a": models["weak"], "b": models["weak"].copy()}).difference("a", "b")
    assert same.estimate == 0.0
    assert same.p_value is None
    assert same.reason == "the two do not differ on any sample"
    none = compare_paired([np.nan], {"a": [1.0], "b": [1.0]})
    assert none.n == 0
    assert none.refused is not None
    with pytest.raises(ValueError, match="at least two"):
        compare_paired(true, {"a": models["weak"]})
    with pytest.raises(ValueError, match="b 3"):
        compare_paired(true, {"a": models["weak"], "b": [1.0, 2.0, 3.0]})


def test_minimum_detectable_difference_by_hand() -> None:
    assert minimum_detectable_difference(1.0) == pytest.approx(1.959964 + 0.841621, abs=1e-5)
    assert minimum_detectable_difference(0.5, 11.0, power=0.9) == pytest.approx(
        0.5 * (stats.t.ppf(0.975, 11) + stats.t.ppf(0.9, 11)), rel=1e-9
    )


def test_same_seed_same_answer() -> None:
    true, models = _models()
    assert compare_paired(true, models, seed=3) == compare_paired(true, models, seed=3)
