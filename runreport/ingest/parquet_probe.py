"""Whether a Parquet file can be decoded, asked of another process: a damaged one can end the process that decodes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from runreport.errors import InputError

DECODE = """
import sys
import polars as pl
try:
    frame = pl.scan_parquet(sys.argv[1], glob=False).collect()
except BaseException:
    sys.exit(3)
"""
"""Run by the other process. A page that declares a run of 2⁶⁰ values makes polars 2.1 allocate them, and Rust aborts."""
LONGEST_S = 600
"""Seconds after which decoding is given up: 50 million rows take a few."""


def check_parquet(path: Path) -> None:
    """That every page of the file can be decoded; costs the start of a process (about half a second) and one decoding.

    Raises
    ------
    InputError
        A file that cannot be decoded to its end.
    """
    command = [sys.executable, "-P", "-c", DECODE, str(path)]
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_S, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        ended = 3
    except OSError:
        return  # no process can be started here; the reading itself still refuses most damage
    if ended:
        raise InputError(path, found="damaged Parquet (a page cannot be decoded)", expected="a whole Parquet file")
