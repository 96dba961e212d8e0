"""What the tests of the store readers share: reading a folder as the program does, and damaging its files."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Head, Reader, ReadOptions, Source
from runreport.run import Run

FIXTURES = Path(__file__).parent.parent / "fixtures"


def sources(reader: Reader, root: Path) -> list[Source]:
    """The sources that a walk of ``root`` finds for one reader."""
    files: dict[tuple[Path, str], dict[str, Path]] = {}
    for path in sorted([root] if root.is_file() else root.rglob("*")):
        claim = reader.claim(path, Head(path)) if path.is_file() else None
        if claim is not None:
            of_run = files.setdefault((claim.root, claim.run), {})
            assert claim.kind not in of_run
            of_run[claim.kind] = path
    return [Source(reader=reader.name, name=run, root=r, files=found) for (r, run), found in files.items()]


def read_all(reader: Reader, root: Path, options: ReadOptions | None = None) -> list[Run]:
    return [run for s in sources(reader, root) for run in reader.read(reader.complete(s), options or ReadOptions())]


def survives(reader: Reader, root: Path) -> Sequence[Run | InputError]:
    """Runs that are sound, or the one kind of error."""
    found: list[Run | InputError] = []
    for source in sources(reader, root):
        try:
            found += reader.read(reader.complete(source), ReadOptions())
        except InputError as error:
            found.append(error)
    for run in found:
        assert isinstance(run, Run) or str(run).isprintable()
        if isinstance(run, Run) and run.history is not None:
            epochs = run.history.epochs
            assert list(epochs) == sorted(set(epochs))
            assert all(math.isfinite(e) for e in epochs)
            assert all(len(values) == len(epochs) for values in run.history.columns.values())
            assert run.name.isprintable()
    return found


def damaged_copies(fixture: Path, folder: Path, part: str, content: bytes, at: float) -> Path:
    """A copy of a fixture in which one file has ``content`` written over it from a share ``at`` of its length on."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    if fixture.is_file():
        copy.mkdir()
        shutil.copyfile(fixture, copy / fixture.name)
    else:
        shutil.copytree(fixture, copy)
    for path in copy.rglob(part):
        whole = path.read_bytes()
        start = int(len(whole) * at)
        path.write_bytes(whole[:start] + content + whole[start + len(content) :])
    return copy
