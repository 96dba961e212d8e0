"""Whether a Parquet file can be decoded, asked of another process: a damaged one can end the process that decodes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runreport.errors import InputError

REFUSED = 3
"""What the other process ends with where polars says by itself that it cannot decode the file."""
DECODE = f"""
import sys
import polars as pl
try:
    pl.scan_parquet(sys.argv[1], glob=False).select(pl.all().hash().sum()).collect(engine="streaming")
except BaseException:
    sys.exit({REFUSED})
"""
"""Run by the other process: every value is looked at, none is kept. A page that declares a run of 2⁶⁰ values makes polars 2.1
allocate them, and Rust aborts."""
LONGEST_S = 600
"""Seconds after which decoding is given up: 50 million rows take a few."""


def check_parquet(path: Path) -> None:
    """That every page of the file can be decoded; costs the start of a process (about half a second) and one decoding.

    Raises
    ------
    InputError
        A file that cannot be decoded to its end.
    """
    if _ended(path) != 0:
        raise _damaged(path)


def check_survivable(path: Path) -> None:
    """That decoding the file ends no process: where polars would refuse it, its own words say more.

    Raises
    ------
    InputError
        A file on which the other process died, or did not end.
    """
    if _ended(path) not in (0, REFUSED):
        raise _damaged(path)


def _damaged(path: Path) -> InputError:
    return InputError(path, found="damaged Parquet (a page cannot be decoded)", expected="a whole Parquet file")


def _ended(path: Path) -> int:
    """The exit code of the process that decodes the file; -1 where it did not end in time."""
    command = [sys.executable, "-P", "-c", DECODE, str(path)]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return -1
    except OSError:
        return 0  # no process can be started here; the reading itself still refuses most damage
