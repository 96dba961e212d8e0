"""The published epochs of the source's run 4."""

from __future__ import annotations

import pytest

from runreport.context import History, history_of


@pytest.fixture
def run4() -> History:
    return history_of(
        [1, 10, 20, 30, 37, 47],
        variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
        r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
        val_loss=[2.39, 1.15, 1.66, 0.98, 0.95, 1.14],
    )
