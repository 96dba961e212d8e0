"""What the tests of the readers of single text files share."""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runreport.errors import InputError
from runreport.ingest.reader import Head, Reader, ReadOptions, Source
from runreport.run import Run

EXAMPLES = int(os.environ.get("RUNREPORT_FUZZ_EXAMPLES", "150"))
"""Cases of each property; with more than the default they are drawn anew in each run."""
FUZZ = settings(
    deadline=None, max_examples=EXAMPLES, derandomize=EXAMPLES == 150, suppress_health_check=[HealthCheck.too_slow]
)


def forced(reader: Reader, path: Path, options: ReadOptions | None = None, kind: str = "history") -> list[Run]:
    """The runs of a file given to this reader by name, claimed or not."""
    source = Source(reader=reader.name, name=path.stem, root=path.parent, files={kind: path})
    return reader.read(source, options or ReadOptions())


def read_text_file(reader: Reader, folder: Path, name: str, text: str, options: ReadOptions | None = None) -> list[Run]:
    """The runs of a file with this text, which the reader must claim."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    claim = reader.claim(path, Head(path))
    assert claim is not None
    source = Source(reader=reader.name, name=claim.run, root=claim.root, files={claim.kind: path})
    return reader.read(source, options or ReadOptions())


def one(reader: Reader, folder: Path, name: str, text: str, options: ReadOptions | None = None) -> Run:
    """The one run of such a file."""
    (run,) = read_text_file(reader, folder, name, text, options)
    return run


def columns(run: Run) -> dict[str, list[float | None]]:
    """The history as lists, epochs among them."""
    assert run.history is not None
    return {"epoch": list(run.history.epochs)} | {k: list(v) for k, v in run.history.columns.items()}


def refused(reader: Reader, folder: Path, name: str, text: str, options: ReadOptions | None = None) -> str:
    """The line about a file that the reader cannot use, without its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        forced(reader, path, options)
    return str(caught.value).removeprefix(f"{path}: ")


def sound(reader: Reader, name: str, content: bytes, kind: str = "history") -> None:
    """Whatever is in the file: sound runs or one line, both when it is claimed and when the reader is forced."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        claim = reader.claim(path, Head(path))
        assert claim is None or claim.run.isprintable()
        error: InputError | None
        try:
            runs = forced(reader, path, kind=kind)
        except InputError as found:
            runs, error = [], found
        else:
            error = None
    assert str(error).isprintable()
    assert (not runs) == (error is not None)
    for run in runs:
        assert run.name.isprintable()
        assert run.history is not None or run.predictions is not None or run.summary
        if run.history is not None:
            epochs = list(run.history.epochs)
            assert epochs == sorted(set(epochs))
            assert all(math.isfinite(e) for e in epochs)
            assert all(len(values) == len(epochs) for values in run.history.columns.values())
        for note in run.notes:
            assert note.message.isprintable()


def claimed(reader: Reader, folder: Path, name: str, text: str) -> bool:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return reader.claim(path, Head(path)) is not None
