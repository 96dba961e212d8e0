"""The fixtures, written anew by the libraries that are installed here: what the readers make of them is what they make of ours.

A new version of a logger that writes another layout shows here. Numbers are not compared, as weights begin elsewhere in other
versions; which runs there are is, their epochs' count and the columns that were known.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from runreport.ingest.load import load_runs
from runreport.run import Run

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
WRITERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "boosting": ("boosting", ("xgboost", "lightgbm", "sklearn")),
    "catboost": ("catboost", ("catboost",)),
    "dvclive": ("dvclive", ("dvclive",)),
    "fastai_csv": ("fastai", ("fastai",)),
    "keras_csv": ("keras_csv", ("keras", "torch", "pandas")),
    "keras_history": ("keras_history", ("keras", "torch")),
    "lightning_csv": ("lightning", ("lightning",)),
    "mlflow": ("mlflow", ("mlflow", "sqlalchemy", "alembic")),
    "sklearn_verbose": ("sklearn", ("sklearn",)),
    "tensorboard torch": ("tensorboard/torch_run", ("torch", "tensorboard")),
    "tensorboard keras": ("tensorboard/keras_run", ("tensorflow",)),
    "trackio": ("trackio", ("trackio",)),
    "transformers_trainer": ("transformers", ("transformers", "accelerate", "torch")),
    "ultralytics_csv": ("ultralytics", ("ultralytics",)),
}
"""Script (and its argument) -> the folder it writes, and what it needs."""
MAY_STOP_ELSEWHERE = frozenset(("boosting", "sklearn_verbose"))
"""Trainings with early stopping: how many rounds they run depends on the version."""


def shape(folder: Path, *, counted: bool) -> dict[str, object]:
    """Run -> its format, the number of its epochs and the known columns; file -> what it is asked about, where it is refused."""
    found: dict[str, object] = {}
    for item in load_runs([str(folder)]):
        if not isinstance(item, Run):
            found[Path(item.where).name] = item.found
            continue
        epochs = len(item.history) if item.history is not None else 0
        known = tuple(sorted(item.history.columns)) if item.history is not None else ()
        found[item.name] = (item.format, epochs if counted else 0, known)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("script", WRITERS)
def test_what_a_logger_writes_today_is_read_as_the_fixture_is(tmp_path: Path, script: str) -> None:
    written, needed = WRITERS[script]
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    name, *arguments = script.split()
    fixtures = tmp_path / "fixtures"
    (fixtures / "write").mkdir(parents=True)
    copy = fixtures / "write" / f"{name}.py"
    shutil.copyfile(FIXTURES / "write" / f"{name}.py", copy)
    # -P: the script's folder holds files that bear the names of libraries.
    command = [sys.executable, "-P", str(copy), *arguments]
    environment = {**os.environ, "KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    counted = name not in MAY_STOP_ELSEWHERE
    assert shape(fixtures / written, counted=counted) == shape(FIXTURES / written, counted=counted)
