"""The entry point: coverage on fixed seeds, refusals, undefined metrics, agreement of test and interval."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter
from sklearn.metrics import mean_absolute_error, r2_score

from runreport.statistics.influence import to_scale
from runreport.statistics.intervals import NULLS, interval_set, scale_errors
from runreport.statistics.moments import METRICS, row_moments

R, RATIO, BIAS = 0.5, 0.6, 0.2
TRUTH = {
    "r2": 2 * R * RATIO - RATIO**2 - BIAS**2,
    "variance_ratio": RATIO,
    "pearson_r": R,
    "bias": BIAS,
    "calibration_slope": R / RATIO,
}


def _sample(n: int = 144, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=n)
    return true, RATIO * (R * true + np.sqrt(1 - R * R) * rng.normal(size=n)) + BIAS


def _series(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> np.ndarray:
    steps = rng.normal(size=shape) * np.sqrt(1 - phi**2)
    steps[..., 0] /= np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], steps, axis=-1))


def _coverage(
    groups: int, size: int, phi: float, *, grouped: bool, ordered: bool, trials: int = 500
) -> dict[str, float]:
    rng = np.random.default_rng(12)
    true = _series(rng, (trials, groups, size), phi).reshape(trials, -1)
    own = _series(rng, (trials, groups, size), phi).reshape(trials, -1)
    rows = row_moments(true, RATIO * (R * true + np.sqrt(1 - R * R) * own) + BIAS)
    codes = np.repeat(np.arange(groups), size) if grouped else None
    errors = scale_errors(rows, codes, groups, ordered=ordered, level=0.95)
    estimates = rows.metrics(rows.total())
    held = {}
    for name, value in TRUTH.items():
        distance = np.abs(to_scale(name, estimates[name]) - to_scale(name, np.array(value)))
        held[name] = float((distance <= errors[name].half_width(0.95)).mean())
    return held


@pytest.mark.parametrize(
    ("groups", "size", "phi", "grouped", "ordered"),
    [(1, 144, 0.0, False, False), (1, 144, 0.0, False, True), (12, 12, 0.9, True, True), (20, 12, 0.5, True, True)],
)
def test_coverage_is_near_nominal(groups: int, size: int, phi: float, grouped: bool, ordered: bool) -> None:
    for name, share in _coverage(groups, size, phi, grouped=grouped, ordered=ordered).items():
        # 500 trials know a share of 0.95 to ±0.019 (two standard errors).
        assert 0.92 <= share <= 0.985, (name, share)


def test_a_short_autocorrelated_series_covers_less_but_far_more_than_independence_would() -> None:
    series = _coverage(1, 144, 0.95, grouped=False, ordered=True)
    independent = _coverage(1, 144, 0.95, grouped=False, ordered=False)
    for name in TRUTH:
        assert 0.8 < series[name] < 0.95, name
        assert independent[name] < 0.6, name


def test_estimates_are_the_metrics_and_intervals_surround_them() -> None:
    true, pred = _sample()
    found = interval_set(true, pred)
    assert found["r2"].estimate == pytest.approx(r2_score(true, pred), abs=1e-12)
    assert found["mae"].estimate == pytest.approx(mean_absolute_error(true, pred), rel=1e-12)
    assert tuple(found.metrics) == METRICS
    for item in found.metrics.values():
        assert item.estimate is not None
        assert item.lo is not None
        assert item.hi is not None
        assert item.lo < item.estimate < item.hi
        assert item.reason is None
    assert found.n == 144
    assert found.n_groups is None
    assert 130 < found.effective_n <= 144
    assert found.caveat is not None
    assert "one series in time order" in found.caveat
    assert "too narrow" not in found.caveat


def test_independent_rows_agree_with_textbook_intervals() -> None:
    true, pred = _sample(2000)
    found = interval_set(true, pred, ordered=False)
    fisher = stats.pearsonr(true, pred).confidence_interval(0.95)
    assert found.interval("pearson_r") == pytest.approx(tuple(fisher), abs=0.004)
    line = stats.linregress(pred, true)
    assert found["calibration_slope"].se == pytest.approx(line.stderr, rel=0.05)
    assert found["bias"].t_statistic() == pytest.approx(stats.ttest_rel(pred, true).statistic, rel=0.03)
    assert found.p_value("calibration_slope") == pytest.approx(
        2 * stats.t.sf(abs(line.slope - 1) / line.stderr, 1998), rel=0.5
    )


def test_test_and_interval_say_the_same() -> None:
    for seed in range(30):
        found = interval_set(*_sample(40, seed))
        for name, null in (
            ("r2", 0.0),
            ("pearson_r", 0.0),
            ("bias", 0.0),
            ("calibration_slope", 1.0),
            ("variance_ratio", 0.7),
        ):
            lo, hi = found.interval(name) or (np.nan, np.nan)
            p_value = found.p_value(name, null)
            assert p_value is not None
            assert (p_value < 0.05) == (not lo <= null <= hi)
    assert found.p_value("r2") == found.p_value("r2", NULLS["r2"])
    assert found.p_value("mae") is None
    assert found.t_statistic("variance_ratio", 0.0) is None


def test_groups_by_count() -> None:
    true, pred = _sample()
    twelve = interval_set(true, pred, groups=np.repeat(np.arange(12), 12))
    assert twelve.n_groups == 12
    assert twelve.caveat is None
    assert "12 groups" in twelve.method
    five = interval_set(true, pred, groups=np.arange(144) * 5 // 144)
    assert five.refused is not None
    assert "5 groups: fewer than 6" in five.refused
    assert five["r2"].estimate == pytest.approx(r2_score(true, pred), abs=1e-12)
    assert all(item.interval is None and item.p_value() is None for item in five.metrics.values())
    assert all(item.reason == five.refused for item in five.metrics.values())
    one = interval_set(true, pred, groups=["flight 7"] * 144)
    assert one.n_groups == 1
    assert one.interval("r2") == interval_set(true, pred).interval("r2")
    assert one.caveat is not None
    assert "not about others" in one.caveat
    assert interval_set(true, pred, groups=np.arange(144)).interval("r2") == interval_set(true, pred).interval("r2")
    assert interval_set(true, pred, groups=np.arange(144)).effective_n == interval_set(true, pred).effective_n


def test_dependent_groups_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(12), 12)
    shared = rng.normal(size=(2, 12))[:, groups]
    true = shared[0] + 0.5 * rng.normal(size=144)
    pred = 0.5 * true + 0.5 * shared[1]
    grouped = interval_set(true, pred, groups=groups).interval("bias") or (0.0, 0.0)
    independent = interval_set(true, pred, ordered=False).interval("bias") or (0.0, 0.0)
    assert grouped[1] - grouped[0] > 2 * (independent[1] - independent[0])


def test_unequal_groups_are_counted_by_weight() -> None:
    true, pred = _sample()
    found = interval_set(true, pred, groups=np.minimum(np.arange(144) // 4, 8))
    # 8 groups of 4 and one of 112: (144)² / (8·16 + 112²) = 1.64 groups.
    assert found.caveat is not None
    assert "count as 1.6" in found.caveat
    assert found["bias"].df == pytest.approx(144**2 / (8 * 16 + 112**2) - 1, abs=1e-9)


def test_few_effective_samples_are_said() -> None:
    rng = np.random.default_rng(4)
    found = interval_set(*_series(rng, (2, 144), 0.97))
    assert found.effective_n < 50
    assert found.caveat is not None
    assert "too narrow" in found.caveat


def test_undefined_metrics_carry_their_reason() -> None:
    true, _ = _sample()
    flat = interval_set(true, np.full(144, 0.3))
    assert flat["pearson_r"].estimate is None
    assert flat["variance_ratio"].estimate == 0.0
    assert flat["variance_ratio"].interval is None
    assert flat["variance_ratio"].reason == "at the end of its range: no interval"
    assert flat.interval("bias") is not None
    truth = interval_set(np.ones(50), np.arange(50.0))
    assert truth["r2"].estimate is None
    assert truth["r2"].reason == "undefined: y_true or y_pred is constant"
    assert truth.interval("mae") is not None
    perfect = interval_set(true, true)
    assert perfect["r2"].estimate == 1.0
    assert perfect["r2"].interval is None
    one_row = interval_set(true, np.r_[1.0, np.zeros(143)])
    assert one_row["pearson_r"].interval is None
    assert one_row["pearson_r"].reason == "undefined with a single unit left out: no interval"


def test_few_or_no_rows_and_non_finite_rows() -> None:
    three = interval_set([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    assert three.refused == "3 rows: an interval needs at least 4"
    assert three["mae"].estimate == pytest.approx(1 / 3)
    empty = interval_set([], [])
    assert empty.n == 0
    assert all(item.estimate is None for item in empty.metrics.values())
    assert interval_set([np.nan], [1.0], groups=["a"]).n_dropped == 1
    true, pred = _sample()
    broken = np.r_[pred, np.nan, np.inf]
    found = interval_set(np.r_[true, 0.0, 0.0], broken)
    assert found.n_dropped == 2
    assert found.interval("r2") == interval_set(true, pred).interval("r2")


def test_scale_and_offset_do_not_matter() -> None:
    true, pred = _sample()
    plain = interval_set(true, pred)
    tiny = interval_set(true * 1e-9, pred * 1e-9)
    far = interval_set(true * 2**10 + 2**30, pred * 2**10 + 2**30)
    for name in TRUTH:
        assert tiny.interval(name) == pytest.approx(plain.interval(name), rel=1e-9)
        assert far.interval(name) == pytest.approx(plain.interval(name), rel=1e-6)


def test_mismatched_lengths_are_errors() -> None:
    with pytest.raises(ValueError, match="y_pred 2"):
        interval_set([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="groups 1"):
        interval_set([1.0, 2.0], [1.0, 2.0], groups=[1])


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("analytic", "numpy"),
        ("multiple", "numpy"),
        ("trend", "numpy"),
        ("intervals", "scipy"),
        ("paired", "scipy"),
        ("selection_bootstrap", "scipy"),
    ],
)
def test_imports_stay_light(module: str, forbidden: str) -> None:
    code = f"import sys, runreport.statistics.{module}; sys.exit({forbidden!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
