"""Finished reports of one log each, kept by the content of everything that they follow from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Self

from runreport.artifacts.kept import folder
from runreport.cli.index import Index, digest_of
from runreport.cli.many import Kept
from runreport.run import Note

if TYPE_CHECKING:
    from runreport.ingest.reader import ReadOptions, Source

NAME = "reports.sqlite"
FIXED = frozenset(
    (
        "native", "table", "lightning", "keras-csv", "fastai", "ultralytics", "json", "jsonl", "yaml", "aligned", "markdown",
        "printed", "predictions", "boosting", "chart-csv", "figures", "transformers", "dvclive",
    )
)  # fmt: skip
"""Readers whose runs follow from the files of the source and nothing else; databases have journals, and what a reader of
another package looks at is not known."""
MOST_BYTES = 1024**3
"""Size from which the older half of the entries is dropped: about 250,000 reports."""
PATIENCE_S = 10.0
"""Seconds that a writer waits for another one."""
BATCH = 200
"""Reports written in one transaction."""
LIBRARIES = ("polars", "jinja2", "numpy")
"""What a report's bytes depend on beside this package and Python."""


class Cache:
    """Reports by key, in one SQLite file. Whatever is wrong with that file, there is only no cache.

    Several processes may use it at once: SQLite's locks keep their writes apart, and an entry is written whole.
    """

    def __init__(self, place: Path, base: bytes) -> None:
        self._base = base
        self._waiting: list[tuple[bytes, bytes]] = []
        self._empty = False  # a first call need not look up each of its logs
        self._file = place / NAME
        self._connection: sqlite3.Connection | None = None
        self._index: Index | None = None
        for attempt in (1, 2):
            try:
                place.mkdir(parents=True, exist_ok=True)
                self._connection = sqlite3.connect(self._file, timeout=PATIENCE_S)
                self._connection.execute("CREATE TABLE IF NOT EXISTS reports (key BLOB PRIMARY KEY, value BLOB)")
                self._empty = self._connection.execute("SELECT 1 FROM reports LIMIT 1").fetchone() is None
                self._index = Index(self._connection)
                return
            except sqlite3.DatabaseError as error:
                self._give_up()
                damaged = not isinstance(error, sqlite3.OperationalError)
                if attempt == 1 and damaged:  # no SQLite file any more: nothing in it can be used
                    with contextlib.suppress(OSError):
                        self._file.unlink()
            except OSError:
                self._give_up()
                return

    @classmethod
    def of(cls, *parts: object) -> Self:
        """The cache for one call: ``parts`` are what the reports follow from beside the logs (settings, criteria, form)."""
        return cls(folder(), fingerprint(*parts))

    def key(self, source: Source, options: ReadOptions) -> bytes | None:
        """The key of a source's reports: its names and places, and every byte of its files; None where it has none.

        A file is read where the index does not know its bytes.
        """
        if source.reader not in FIXED:
            return None
        digest = hashlib.blake2b(self._base, digest_size=32)
        others = {"truth": options.truth, **{f"{kind} beside": path for kind, path in source.beside.items()}}
        files = {**source.files, **{kind: path for kind, path in others.items() if path is not None}}
        for part in (source.reader, source.name, *(f"{kind}\0{path}" for kind, path in files.items())):
            digest.update(f"{part}\0".encode("utf-8", "surrogatepass"))
        try:
            for path in files.values():
                digest.update(self._content(path))
        except OSError:
            return None
        return digest.digest()

    def _content(self, path: Path) -> bytes:
        if self._index is not None:
            try:
                return self._index.digest(path)
            except sqlite3.DatabaseError:
                self._give_up()
        return digest_of(path)

    def get(self, key: bytes | None) -> tuple[Kept, ...] | None:
        """The reports under a key; None where there are none, or the entry is damaged."""
        if self._connection is None or key is None or self._empty:
            return None
        try:
            row = self._connection.execute("SELECT value FROM reports WHERE key = ?", (key,)).fetchone()
        except sqlite3.DatabaseError:
            self._give_up()
            return None
        return _unpacked(key, row[0]) if row is not None else None

    def put(self, key: bytes | None, kept: Sequence[Kept]) -> None:
        """Keeps the reports; written with others, and at the end."""
        if self._connection is None or key is None:
            return
        self._waiting.append((key, _packed(key, kept)))
        if len(self._waiting) >= BATCH:
            self._write()

    def close(self) -> None:
        """Writes what waits, and drops old entries where the file has grown too large."""
        self._write()
        if self._connection is None:
            return
        with contextlib.suppress(sqlite3.DatabaseError, OSError):
            if self._file.stat().st_size > MOST_BYTES:
                self._connection.execute("DELETE FROM reports WHERE rowid <= (SELECT MAX(rowid) FROM reports) / 2")
                self._connection.execute("DELETE FROM files")
                self._connection.commit()
                self._connection.execute("VACUUM")
        self._give_up()

    def _write(self) -> None:
        if self._connection is None or self._index is None:
            return
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO reports VALUES (?, ?)", self._waiting)
                self._index.write()
        except sqlite3.DatabaseError:
            self._give_up()
        self._waiting = []

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._index = None


def _packed(key: bytes, kept: Sequence[Kept]) -> bytes:
    """Compressed JSON behind a checksum of it and its key."""
    data = zlib.compress(
        json.dumps([_plain(one) for one in kept], ensure_ascii=False).encode("utf-8", "surrogatepass"), 1
    )
    return hashlib.blake2b(key + data, digest_size=16).digest() + data


def _plain(one: Kept) -> dict[str, object]:
    notes = [{"code": note.code, "message": note.message, "epoch": note.epoch} for note in one.notes]
    return {"name": one.name, "notes": notes, "title": one.title, "text": one.text}


def _unpacked(key: bytes, value: object) -> tuple[Kept, ...] | None:
    if not isinstance(value, bytes) or hashlib.blake2b(key + value[16:], digest_size=16).digest() != value[:16]:
        return None
    entries = json.loads(zlib.decompress(value[16:]))
    return tuple(
        Kept(name=e["name"], notes=tuple(Note(**note) for note in e["notes"]), title=e["title"], text=e["text"])
        for e in entries
    )


def fingerprint(*parts: object) -> bytes:
    """A digest of this program's own code and templates, of what it runs on, and of ``parts``."""
    from runreport.report.markdown import templates_folder

    digest = hashlib.blake2b(digest_size=32)
    package = Path(__file__).resolve().parent.parent
    for place in (package, templates_folder()):
        for path in sorted(p for p in place.rglob("*") if p.suffix in (".py", ".j2", ".css", ".yaml", ".toml")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    for name in LIBRARIES:
        try:
            digest.update(f"{name} {version(name)}".encode())
        except PackageNotFoundError:
            digest.update(name.encode())
    digest.update(repr((sys.version, *map(_settled, parts))).encode("utf-8", "surrogatepass"))
    return digest.digest()


def _settled(value: object) -> object:
    """A value in one order, whatever the order that its sets and mappings have in this process."""
    if is_dataclass(value) and not isinstance(value, type):
        return (type(value).__name__, *((f.name, _settled(getattr(value, f.name))) for f in fields(value)))
    if isinstance(value, Mapping):
        return sorted((repr(k), _settled(v)) for k, v in value.items())
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, list | tuple):
        return [_settled(v) for v in value]
    return repr(value)
