"""Faults that nobody planted, by a line through the validation predictions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.trained.incidental import incidental_faults


def trained(scale: float = 1.0, shift: float = 0.0, test_shift: float = 0.0, saved: int | None = 2) -> Any:
    """Two epochs; the second predicts r = 0.7, calibrated but for ``scale`` and ``shift``."""
    rng = np.random.default_rng(0)

    def rows(n: int) -> tuple[torch.Tensor, torch.Tensor]:
        true = rng.standard_normal(n)
        pred = 0.7 * (0.7 * true + 0.51**0.5 * rng.standard_normal(n))
        return torch.tensor(5 + true), torch.tensor(5 + scale * pred + shift)

    (val_true, val_pred), (test_true, test_pred) = rows(400), rows(400)
    dataset = SimpleNamespace(val=SimpleNamespace(target=val_true), test=SimpleNamespace(target=test_true))
    return SimpleNamespace(
        selected_epoch=saved,
        member=SimpleNamespace(dataset=dataset),
        val_pred=torch.stack([torch.zeros(400), val_pred]),
        test_pred=test_pred + test_shift,
    )


def test_what_the_line_mends_is_a_fault() -> None:
    assert incidental_faults(trained(), 0.05) == ()
    assert incidental_faults(trained(scale=2.0), 0.05) == (Fault.TOO_WIDE,)
    assert incidental_faults(trained(scale=0.3), 0.05) == (Fault.TOO_NARROW,)
    assert incidental_faults(trained(shift=0.5), 0.05) == (Fault.BIAS,)
    # (α - r)² is about 0.5 of a doubled spread: it does not come to 0.9.
    assert incidental_faults(trained(scale=2.0), 0.9) == ()


def test_what_only_the_test_rows_show_is_none() -> None:
    assert incidental_faults(trained(test_shift=0.5), 0.05) == ()
    assert incidental_faults(trained(scale=2.0, saved=None), 0.05) == ()
