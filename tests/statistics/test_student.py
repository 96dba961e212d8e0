"""Student's t in plain Python against scipy."""

import math

import pytest
from scipy import stats

from runreport.statistics.student import normal_two_sided_p, t_cdf, t_quantile, two_sided_p

DEGREES = [0.5, 1.0, 2.0, 3.7, 11.0, 143.2, 9_999.0, 99_999.0, 100_001.0, 1e7]


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("probability", [0.02, 0.5001, 0.6, 0.9, 0.975, 0.999, 1 - 1e-8])
def test_quantile_matches_scipy(df: float, probability: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(stats.t.ppf(probability, df), rel=1e-8)


@pytest.mark.parametrize("df", DEGREES)
@pytest.mark.parametrize("value", [-3.0, 1e-6, 0.1, 1.0, 2.0, 30.0])
def test_cdf_and_tail_match_scipy(df: float, value: float) -> None:
    assert t_cdf(value, df) == pytest.approx(stats.t.cdf(value, df), rel=1e-9)
    assert two_sided_p(value, df) == pytest.approx(2 * stats.t.sf(abs(value), df), rel=1e-8)


def test_limits() -> None:
    assert t_quantile(0.5, 3.0) == 0.0
    assert two_sided_p(math.inf, 3.0) == 0.0
    assert two_sided_p(1.3, math.inf) == normal_two_sided_p(1.3)
    assert normal_two_sided_p(9.0) == pytest.approx(2 * stats.norm.sf(9.0), rel=1e-12)
    for probability, df in ((0.0, 3.0), (1.0, 3.0), (0.9, 0.0), (0.9, math.nan)):
        with pytest.raises(ValueError, match="t_quantile needs"):
            t_quantile(probability, df)
