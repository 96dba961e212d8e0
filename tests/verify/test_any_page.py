"""Any text is a page: nothing raises, nothing takes for ever."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.history import history_of
from runreport.run import Run
from runreport.verify.engine import verify

PIECES = [
    "R²", "r", "MAE", "val loss", "epoch", "Epoch 3", "run1", "Run 2", "best", "lowest", "of all runs", "better than", "is", "=",
    ":", "→", "|", "\n", "\n\n", "- ", "# ", "|---|", "[", "]", "(", ")", "²", "%", "×", "0.5", "-0.25", "1e-3", "46 %",
    "n = 144",
    "from", "to", "(1 - pred_var/target_var)²", "`", "```", "variance ratio", "mean", "Pred:", "±", "~", "picks epoch", "Δ",
]  # fmt: skip


@pytest.fixture(scope="module")
def analyses() -> list[Analysis]:
    history = history_of(
        [1, 2, 3], r2=[-1.0, float("nan"), 0.25], variance_ratio=[0.9, 0.5, 0.4], val_loss=[1.0, 0.9, None]
    )
    return [
        analyze_run(Run(name=name, format="native", files={}, history=history, summary={"r2": 0.5, "num_samples": 9}))
        for name in ("run1", "run2")
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_pieces_in_any_order(analyses: list[Analysis], text: str) -> None:
    for claim in verify(text, analyses).claims:
        assert claim.reason
        assert claim.line >= 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=200))
def test_any_text(analyses: list[Analysis], text: str) -> None:
    for claim in verify(text, analyses, run="run1").claims:
        assert claim.reason
        assert claim.line >= 1


@pytest.mark.parametrize(
    "text",
    [
        "(1 - " * 3000,
        "(1 - a" + "(b)" * 3000 + "var",
        "1 + " * 3000 + "1 = 2",
        "1 + " * 450,  # each space in one way only: else twice the time a term
        "1.5 * (" * 250 + "R²",
        "((((" * 3000 + "1 = 2",
        "0.5 → " * 3000,
        "R² " * 3000,
        "epoch 1, 2, 3, " + "4, " * 3000,
        "[" * 3000 + "0.5" + "]" * 3000,
        "R² = " + "9" * 5000,
        "|" + " R² |" * 300 + "\n|" + "---|" * 300 + "\n|" + " 0.5 |" * 300 + "\n",
    ],
)
def test_long_input_is_read_in_time(analyses: list[Analysis], text: str) -> None:
    start = time.process_time()
    verify(text, analyses, run="run1")
    assert time.process_time() - start < 20
