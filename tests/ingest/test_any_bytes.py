"""Whatever is in a file: a run or one line about it, never another exception."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run

SETTINGS = settings(deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "2", "0.5", "nan", "-inf", "NA", '"', '"a\nb"', "1e999", "x", " ", "\x1b[0m", "²", "\ufeff"]
    ),
    st.floats().map(repr),
    st.text(max_size=6),
)
HEADERS = st.sampled_from(
    ["epoch", "val_loss", "r2", "loss", "y_true", "y_pred", "", "step", "variance_ratio", "flight"]
)
TABLES = st.builds(
    lambda header, rows, separator, end: (separator.join(header) + end + end.join(map(separator.join, rows))).encode(),
    st.lists(HEADERS, min_size=1, max_size=5),
    st.lists(st.lists(CELLS, max_size=5), max_size=6),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n", "\r\r\n", "\r"]),
)
JSON_TEXT = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)).map(json.dumps),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]"),
    max_leaves=6,
)
METRICS = st.lists(st.tuples(st.sampled_from(["r2", "mae", "config", "split", "policy"]), JSON_TEXT), max_size=4).map(
    lambda pairs: ("{" + ",".join(f'"{key}": {value}' for key, value in pairs) + "}").encode()
)


def check(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        found = list(load_runs([str(path)]))
    assert found
    for item in found:
        assert isinstance(item, Run | InputError)
        if isinstance(item, InputError):
            assert str(item).isprintable()
            assert str(item).startswith(str(path).removesuffix(name))
        elif item.history is not None:
            assert list(item.history.epochs) == sorted(set(item.history.epochs))
            assert all(math.isfinite(e) for e in item.history.epochs)
            assert all(len(values) == len(item.history) for values in item.history.columns.values())


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_as_a_history(content: bytes) -> None:
    check("run.csv", content)


@SETTINGS
@given(TABLES)
def test_any_table_as_a_history(content: bytes) -> None:
    check("run.csv", content)


@SETTINGS
@given(TABLES)
def test_any_table_as_predictions(content: bytes) -> None:
    check("predictions_run.csv", content)


@SETTINGS
@given(st.one_of(st.binary(max_size=200), METRICS))
def test_anything_as_metrics(content: bytes) -> None:
    check("metrics_run.json", content)


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_as_per_epoch_predictions(content: bytes) -> None:
    check("epoch_predictions_run.parquet", content)
