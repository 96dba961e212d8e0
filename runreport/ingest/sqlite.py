"""Other programs' SQLite databases, opened so that nothing of theirs can change."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from runreport.errors import InputError
from runreport.ingest.table import MAX_BYTES

MAGIC = b"SQLite format 3\x00"
ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
"""What such a file is called: of any other not even the first bytes are looked at, for a walk has thousands."""
MAX_ROWS = 20_000_000
"""Metric rows read of a database: at 200 bytes a row in memory more would not fit beside anything else."""


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, read-only; what its owner has not yet moved out of the write-ahead log is seen as well.

    Opened ``immutable`` where there is no such log: then no lock is taken and no file appears beside it. Where there is
    one, a copy of both in a temporary folder is read, because reading in place would have to write beside the file.

    Raises
    ------
    InputError
        No database, a damaged one, or one beyond the limits; also for errors raised while it is read.
    """
    try:
        size = path.stat().st_size
        log = path.with_name(path.name + "-wal")
        pending = log.stat().st_size if log.is_file() else 0
        if size + pending > MAX_BYTES:
            raise InputError(
                path, found=f"{(size + pending) / 1024**3:.1f} GiB of database", expected="at most 2 GiB",
                remedy="export the runs to CSV",
            )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            readable = path.resolve()
            if pending:
                readable = Path(folder) / "copy.db"
                shutil.copyfile(path, readable)
                shutil.copyfile(log, readable.with_name("copy.db-wal"))
            uri = f"file:{quote(str(readable))}?mode=ro{'' if pending else '&immutable=1'}"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                connection.text_factory = lambda data: data.decode("utf-8", errors="replace")
                connection.execute("PRAGMA trusted_schema = OFF")
                yield connection
    except (sqlite3.Error, UnicodeError) as error:  # of a damaged schema, not even the message can be decoded
        detail = str(error) if isinstance(error, sqlite3.Error) else "its schema is no text"
        raise InputError(
            path, found=f"a database that cannot be read ({detail})", expected="an undamaged one"
        ) from None
    except OSError as error:
        raise InputError(
            path, found=f"cannot be read ({error.strerror or error})", expected="a readable file"
        ) from None


def has_columns(connection: sqlite3.Connection, table: str, *columns: str) -> bool:
    """Whether a table (a view could compute for ever) has these columns."""
    kind = connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if kind is None or kind[0] != "table":
        return False
    names = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
    return set(columns) <= names


def bounded_rows(path: Path, connection: sqlite3.Connection, table: str) -> None:
    """Refuses a table of more than :data:`MAX_ROWS` rows."""
    (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    if count > MAX_ROWS:
        raise InputError(path, found=f"{count} rows in table {table}", expected=f"at most {MAX_ROWS}")
