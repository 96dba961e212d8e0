"""Polls the files of a run that is being written, and reads what is whole of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from runreport.errors import InputError
from runreport.history import History
from runreport.ingest.load import find, read_sources
from runreport.ingest.reader import ReadOptions, Source
from runreport.run import Run

LINES = (".csv", ".tsv", ".jsonl", ".ndjson", ".log", ".txt")
"""Endings of files that grow by lines: a last line without its end may be half a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one poll found.

    run
        The run as far as it is written; None where nothing could be read yet.
    others
        Names of other runs in the same place, which are not followed.
    ended
        Whether the run says that it is over: its metrics file was written after its history.
    newer
        Whether this is another run than before: one that began in the folder since.
    began_again
        Whether the log is shorter than before: another run writes to the same file.
    problem
        Why the files cannot be read at the moment; None where they can.
    written_at
        When a file of the run was last written, seconds since the epoch; None where there is none.
    """

    run: Run | None
    others: tuple[str, ...] = ()
    ended: bool = False
    newer: bool = False
    began_again: bool = False
    problem: InputError | None = None
    written_at: float | None = None


Signature = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class Follower:
    """One run, followed from poll to poll. Nothing is kept open between polls, so files may be rewritten or rotated."""

    path: str
    options: ReadOptions = field(default_factory=ReadOptions)
    reader: str | None = None
    _source: Source | None = None
    _signature: Signature | None = None
    _held_back: bool = False
    _epochs: int = 0
    _known: frozenset[tuple[str, Path, str]] = frozenset()

    def poll(self) -> Reading | None:
        """What is there now; None where nothing changed since the last poll."""
        signature = self._sign()
        if signature is not None and signature == self._signature and not self._held_back:
            return None
        settled = signature is not None and signature == self._signature
        try:
            source, others, newer = self._find()
            runs = [r for r in read_sources([source], self.options) if isinstance(r, Run | InputError)]
            broken = next((r for r in runs if isinstance(r, InputError)), None)
            if broken is not None:
                raise broken
        except InputError as error:
            self._signature = signature
            self._held_back = False
            return Reading(run=None, problem=error)
        self._source = source
        self._signature = self._sign()
        run = [r for r in runs if isinstance(r, Run)][-1]
        if newer:
            self._epochs = 0
        return replace(self._reading(run, source, others, settled=settled), newer=newer)

    def _reading(self, run: Run, source: Source, others: tuple[str, ...], *, settled: bool) -> Reading:
        ended = _ended(source)
        # Half a line may hold half a number. It is taken once the file stays as it is, or the run says that it is over.
        self._held_back = not (settled or ended) and _ends_within_a_line(source)
        history = run.history
        left_out = any(
            note.code == "log.truncated" for note in run.notes
        )  # a line that the reader itself saw to be cut
        if self._held_back and not left_out and history is not None and len(history):
            run = replace(run, history=without_last(history))
        count = len(run.history) if run.history is not None else 0
        began_again = count < self._epochs
        self._epochs = count
        return Reading(run=run, others=others, ended=ended, began_again=began_again, written_at=_written_at(source))

    def _find(self) -> tuple[Source, tuple[str, ...], bool]:
        """(the run to follow, other runs, whether it is another than before).

        The run followed so far, unless one has begun since that was not there; at first the one that was written last.
        """
        found = find([self.path], reader=self.reader)
        if not found.sources:
            raise found.errors[0] if found.errors else InputError(self.path, found="no log that is known")
        keys = {_key(source): source for source in found.sources}
        begun = [source for key, source in keys.items() if key not in self._known]
        followed = keys.get(_key(self._source)) if self._source is not None else None
        candidates = begun or ([followed] if followed is not None else found.sources)
        chosen = max(candidates, key=lambda s: _written_at(s) or 0.0)
        newer = self._source is not None and _key(chosen) != _key(self._source)
        self._known = self._known | frozenset(keys)
        return chosen, tuple(s.name for s in found.sources if s is not chosen), newer

    def _sign(self) -> Signature | None:
        """Size and time of every file of the run, and of the folder that new ones appear in."""
        if self._source is None:
            return None
        files = list(self._source.files.values())
        # A run that begins beside this one changes the folder above, or the one above that (version_1 beside version_0).
        folders = dict.fromkeys(folder for file in files for folder in (file.parent, file.parent.parent))
        paths = [*files, *folders]
        found = []
        for path in paths:
            try:
                stat = path.stat()
            except OSError:  # rotated away at this moment
                return None
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
        return tuple(found)


def without_last(history: History) -> History:
    """The history without its last epoch."""
    return History(epochs=history.epochs[:-1], columns={name: values[:-1] for name, values in history.columns.items()})


def _key(source: Source) -> tuple[str, Path, str]:
    return source.reader, source.root, source.name


def _times(paths: Sequence[Path]) -> list[float]:
    found = []
    for path in paths:
        try:
            found.append(path.stat().st_mtime)
        except OSError:
            continue
    return found


def _written_at(source: Source) -> float | None:
    return max(_times(list(source.files.values())), default=None)


def _ended(source: Source) -> bool:
    """Whether the metrics file was written after the history: what `training` and ``RunLogger`` do last.

    One that is older is of an earlier run under the same name.
    """
    if "metrics" not in source.files or "history" not in source.files:
        return False
    metrics, history = (_times([source.files[kind]]) for kind in ("metrics", "history"))
    return bool(metrics) and (not history or metrics[0] >= history[0])


def _ends_within_a_line(source: Source) -> bool:
    for path in source.files.values():
        if path.suffix.lower() not in LINES:
            continue
        try:
            with path.open("rb") as file:
                if file.seek(0, 2) == 0:
                    continue
                file.seek(-1, 2)
                if file.read(1) not in (b"\n", b"\r"):
                    return True
        except OSError:
            continue
    return False
