"""What a reader is: a name, the files it knows, and how they become runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.compressed import expand
from runreport.run import Run

HEAD_BYTES = 64 * 1024
"""What is looked at of a file to tell its format: a header line of a wide log fits many times over."""


class Head:
    """The beginning of a file, read when somebody asks: most files are known by their names alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def bytes(self) -> bytes:
        """The first bytes, uncompressed; empty where the file cannot be read, which the reading itself will say."""
        try:
            with self.path.open("rb") as file:
                first = file.read(HEAD_BYTES)
            return expand(self.path, first, HEAD_BYTES)
        except (OSError, InputError):
            return b""

    @cached_property
    def text(self) -> str:
        """The same as text; bytes that are not UTF-8 (or UTF-16 with a mark) become replacement characters."""
        encoding = "utf-16" if self.bytes.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
        return self.bytes.decode(encoding, errors="replace")

    @cached_property
    def line(self) -> str:
        """The first line that is not blank."""
        first = self.text.partition("\n")[0].splitlines()[:1]
        if first and first[0].strip():  # as a rule it is the first one: no need to split all of them
            return first[0]
        return next((line for line in self.text.splitlines() if line.strip()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That a file is of a reader's format, and whose it is.

    root
        The folder (or the file itself) that holds the run: files of one reader, root and run belong together.
    run
        The run's name, told apart from others by folders where it must be.
    kind
        What the file is to the run (``history``, ``predictions``, ``config``, ...): one file of a kind and run.
    """

    root: Path
    run: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files of one run (or of one file that holds several): kind -> path.

    beside
        ``predictions_<run>.csv``, ``metrics_<run>.json`` and ``epoch_predictions_<run>.parquet`` beside a log of another
        format, which its reader knows nothing of; kind -> path.
    """

    reader: str
    name: str
    root: Path
    files: Mapping[str, Path]
    beside: Mapping[str, Path] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return next(iter(self.files.values())).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the person said about the files.

    columns
        Known name -> name in the files (``--column val_loss=valid_mse``).
    truth, key
        A table with the true values where the predictions have none, and the column that joins the two.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    truth: Path | None = None
    key: str | None = None


def alone(source: Source) -> Source:
    """The source as it is: for formats whose files are all claimed on their own."""
    return source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format.

    name
        Short, lower case: ``--reader NAME``, and ``Run.format``.
    reads
        What it reads, for ``runreport formats``: the logger and its files, in a line.
    claim
        (path, head) -> whose file this is, or None where it is none of this format. ``path`` is without the ending of a
        compression. Decides by the name where that is enough; ``head`` is read only when asked. Raises nothing but
        :class:`~runreport.errors.InputError`, and that only for a file that is surely of this format and cannot be read
        (then the message says what to do instead).
    read
        (source, options) -> its runs. Raises :class:`~runreport.errors.InputError`, never another exception.
    complete
        Adds files that belong to the run beside the one named (``predictions_run4.csv`` beside ``run4.csv``).
    named_only
        Whether it takes only files that a person named, and none that was found in a folder or by a glob.
    extra
        The optional dependency that it needs (``pip install 'regression-runreport[extra]'``), None where it needs none.
    """

    name: str
    reads: str
    claim: Callable[[Path, Head], Claim | None]
    read: Callable[[Source, ReadOptions], list[Run]]
    complete: Callable[[Source], Source] = alone
    named_only: bool = False
    extra: str | None = None
