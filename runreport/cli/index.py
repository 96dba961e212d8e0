"""Which content a file has, without reading it again: by what the file system says of it, as git's index does."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import NamedTuple

RACY_NS = 2_000_000_000
"""A file that changed so shortly before it was read is not remembered: it could change once more within one tick of its
file system's clock and look the same. The coarsest clock in use, FAT's, ticks every 2 s; ext4's, every 10 ms or less."""
CTIME_IS_CHANGE = sys.platform != "win32"
"""Whether ``st_ctime`` moves with every change and no program can set it back; on Windows it is the time of creation."""


class Stamp(NamedTuple):
    """What the file system says of a file; a byte cannot change without ``changed``, whatever sets the other times back."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Of one ``stat``; inodes and devices of 64 bits are folded into the signed numbers that SQLite holds."""
        device, inode = (number & 0x7FFF_FFFF_FFFF_FFFF for number in (status.st_dev, status.st_ino))
        return cls(device, inode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Index:
    """Path -> stamp and digest of the content, in one table of the cache's database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Raises sqlite3.DatabaseError where the file is none."""
        connection.execute(
            "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, device INTEGER, inode INTEGER, size INTEGER, "
            "modified INTEGER, changed INTEGER, digest BLOB) WITHOUT ROWID"
        )
        self._connection = connection
        self._empty = connection.execute("SELECT 1 FROM files LIMIT 1").fetchone() is None
        self._new: dict[bytes, tuple[bytes, Stamp, bytes]] = {}

    def digest(self, path: Path) -> bytes:
        """The digest of a file's content: as remembered where its stamp is the same, else of its bytes.

        Raises OSError where it cannot be read, sqlite3.DatabaseError where the database is damaged.
        """
        if not CTIME_IS_CHANGE:
            return digest_of(path)
        place = os.fsencode(path.absolute())
        stamp = Stamp.of(path.stat())
        row = None if self._empty else self._connection.execute(KNOWN, (place,)).fetchone()
        if row is not None and row[:5] == stamp and isinstance(row[5], bytes) and len(row[5]) == SIZE:
            return row[5]
        began = time.time_ns()
        digest = digest_of(path)
        settled = max(stamp.modified, stamp.changed) < began - RACY_NS
        if settled and Stamp.of(path.stat()) == stamp:  # else written to meanwhile
            self._new[place] = (place, stamp, digest)
        return digest

    def write(self) -> None:
        """Remembers what was read, within the transaction of the caller."""
        rows = [(place, *stamp, digest) for place, stamp, digest in self._new.values()]
        self._connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._empty = self._empty and not rows
        self._new.clear()


KNOWN = "SELECT device, inode, size, modified, changed, digest FROM files WHERE path = ?"
SIZE = 32
"""Bytes of a digest."""
AT_ONCE = 256 * 1024
"""Bytes of a file that are read at once: a log is less."""


def digest_of(path: Path) -> bytes:
    """BLAKE2b of a file's bytes."""
    digest = hashlib.blake2b(digest_size=SIZE)
    with path.open("rb", buffering=0) as file:  # `hashlib.file_digest` fills a buffer of as many zeros before each
        while data := file.read(AT_ONCE):
            digest.update(data)
    return digest.digest()
