from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runreport.analysis.engine import analyze_run
from runreport.engines import local, runs
from runreport.engines.engine import Outcome
from runreport.engines.objects import find_objects
from runreport.engines.pieces import Piece, cut
from runreport.engines.runs import runs_from
from runreport.errors import InputError
from runreport.run import Run
from tests.engines.tables import by_numpy, predictions, write

TOLERANCE = 1e-12


def the_run(found: list[Run | InputError]) -> Run:
    (run,) = found
    assert isinstance(run, Run), run
    return run


def assert_same_figures(run: Run, frame: pl.DataFrame) -> None:
    assert run.history is not None
    expected = by_numpy(frame)
    assert list(run.history.epochs) == sorted(expected)
    for epoch, figures in expected.items():
        found = [run.history.at(epoch, name) for name in ("r2", "variance_ratio", "pearson_r")]
        assert found == pytest.approx(figures, rel=TOLERANCE, abs=TOLERANCE)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    epochs=st.integers(1, 5),
    rows=st.integers(2, 3000),
    parts=st.integers(1, 4),
    piece_bytes=st.integers(200, 200_000),
    seed=st.integers(0, 10**6),
)
def test_figures_do_not_depend_on_how_the_rows_are_cut(
    tmp_path_factory: pytest.TempPathFactory, epochs: int, rows: int, parts: int, piece_bytes: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    frame = predictions(epochs, rows, seed=seed)
    step = -(-frame.height // parts)
    for index in range(0, frame.height, step):
        write(frame.slice(index, step), folder / "epoch_predictions_a" / f"part-{index:06}.parquet")
    run = the_run(runs_from(find_objects([str(folder)]), local.ENGINE, piece_bytes=piece_bytes))
    assert_same_figures(run, frame)
    assert run.history is not None
    assert run.history.get("n") == (float(rows),) * epochs


def test_an_offset_of_a_billion_costs_no_digits_that_are_there(tmp_path: Path) -> None:
    frame = predictions(3, 5000, offset=1e9)
    write(frame, tmp_path / "epoch_predictions_a.parquet")
    run = the_run(runs_from(find_objects([str(tmp_path)]), local.ENGINE, piece_bytes=20_000))
    # At 1e9 a float64 holds 7 digits behind the point; what is left of the figures is exact.
    assert_same_figures(run, frame)


def test_a_large_file_is_cut_into_all_of_its_rows(tmp_path: Path) -> None:
    path = write(predictions(2, 5000), tmp_path / "epoch_predictions_a.parquet")
    pieces = list(cut(find_objects([str(path)]), 10_000))
    assert len(pieces) > 5
    assert pieces[0].first == 0
    for before, after in pairwise(pieces):
        assert before.rows is not None
        assert after.first == before.first + before.rows
    assert pieces[-1].first + (pieces[-1].rows or 0) == 10_000


def test_the_order_of_answers_changes_no_digit(tmp_path: Path) -> None:
    write(predictions(3, 4000), tmp_path / "epoch_predictions_a.parquet")

    def backwards(pieces: Sequence[Piece], address: str | None) -> Iterator[Outcome]:
        yield from reversed(list(local.ENGINE.run(pieces, address)))

    objects = find_objects([str(tmp_path)])
    forth = the_run(runs_from(objects, local.ENGINE, piece_bytes=9000))
    back = the_run(runs_from(objects, replace(local.ENGINE, run=backwards), piece_bytes=9000))
    assert forth.history == back.history


def test_merging_early_changes_only_the_last_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = predictions(4, 3000)
    write(frame, tmp_path / "epoch_predictions_a.parquet")
    monkeypatch.setattr(runs, "MAX_HELD_ROWS", 3)
    assert_same_figures(the_run(runs_from(find_objects([str(tmp_path)]), local.ENGINE, piece_bytes=5000)), frame)


def test_a_damaged_part_refuses_its_run_and_no_other(tmp_path: Path) -> None:
    write(predictions(2, 50), tmp_path / "epoch_predictions_good.parquet")
    write(predictions(2, 50), tmp_path / "epoch_predictions_bad" / "part-0.parquet")
    (tmp_path / "epoch_predictions_bad" / "part-1.parquet").write_bytes(b"PAR1 and nothing more")
    bad, good = runs_from(find_objects([str(tmp_path)]), local.ENGINE)
    assert isinstance(bad, InputError)
    assert "part-1.parquet" in str(bad)
    assert isinstance(good, Run)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pl.DataFrame({"epoch": [1], "y_true": [1.0]}), "no column 'y_pred'"),
        (pl.DataFrame({"epoch": [1, None], "y_true": [1.0, 2.0], "y_pred": [1.0, 2.0]}), "rows without an epoch"),
        (pl.DataFrame({"epoch": [1], "y_true": ["a"], "y_pred": [1.0]}), "must be numeric"),
        (pl.DataFrame({"epoch": [1.0], "y_true": [1.0], "y_pred": [1.0]}).clear(), "no rows"),
    ],
)
def test_tables_that_are_no_predictions_are_refused_in_one_line(tmp_path: Path, frame: pl.DataFrame, says: str) -> None:
    write(frame, tmp_path / "epoch_predictions_a.parquet")
    (error,) = runs_from(find_objects([str(tmp_path)]), local.ENGINE)
    assert isinstance(error, InputError)
    assert says in str(error)
    assert "\n" not in str(error)


def test_rows_without_values_are_counted_and_left_out(tmp_path: Path) -> None:
    frame = predictions(2, 100).with_columns(
        y_pred=pl.when(pl.int_range(pl.len()) % 10 == 0).then(float("nan")).otherwise("y_pred")
    )
    write(frame, tmp_path / "epoch_predictions_a.parquet")
    run = the_run(runs_from(find_objects([str(tmp_path)]), local.ENGINE))
    assert "20 rows without finite values left out" in run.notes[0].message
    assert run.history is not None
    assert run.history.get("n") == (90.0, 90.0)


def test_the_report_has_intervals_for_independent_rows_and_says_so(tmp_path: Path) -> None:
    write(predictions(3, 400), tmp_path / "epoch_predictions_a.parquet")
    final = analyze_run(the_run(runs_from(find_objects([str(tmp_path)]), local.ENGINE))).final
    assert final is not None
    assert final.n == 400
    low, high = final.interval("pearson_r") or (1.0, -1.0)
    assert low < (final["pearson_r"] or 0.0) < high
    assert "independent" in final.caveats[0]
