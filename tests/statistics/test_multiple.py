"""Adjusted p-values against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from runreport.statistics.multiple import benjamini_hochberg, holm


def test_benjamini_hochberg_matches_scipy() -> None:
    p_values = np.random.default_rng(1).uniform(size=40) ** 3
    assert benjamini_hochberg(list(p_values)) == pytest.approx(stats.false_discovery_control(p_values), rel=1e-12)


def test_holm_by_hand() -> None:
    # Sorted 0.005, 0.011, 0.02, 0.04 times 4, 3, 2, 1 = 0.020, 0.033, 0.040, 0.040.
    assert holm([0.02, 0.005, 0.04, 0.011]) == pytest.approx([0.04, 0.02, 0.04, 0.033])
    # 2 × 0.3 = 0.6 holds for the larger one too; nothing exceeds 1.
    assert holm([0.35, 0.3]) == pytest.approx([0.6, 0.6])
    assert holm([0.9, 0.8, 0.7]) == [1.0, 1.0, 1.0]


def test_missing_tests_are_not_counted() -> None:
    assert benjamini_hochberg([None, 0.04]) == [None, 0.04]
    assert holm([0.04, None]) == [0.04, None]
    assert benjamini_hochberg([]) == []
    assert holm([None]) == [None]


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_not_a_probability_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        holm([0.1, bad])
