"""Daft: pieces as rows of a table, a function over them, on this machine or on a Ray cluster (extra ``cluster``).

Daft and Ray schedule the pieces, send them to machines, and do those of a lost machine again. What a piece is worth is
computed by the same code as on one machine, so both engines agree to the last digits.
"""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Iterator, Sequence
from importlib import import_module  # neither has types that suit mypy, and both may be absent
from typing import TYPE_CHECKING, Any

from runreport.engines.engine import Engine, Outcome
from runreport.engines.pieces import Piece, moments_of
from runreport.errors import InputError

if TYPE_CHECKING:
    import polars as pl

REMEDY = "pip install 'regression-runreport[cluster]'"
MOST_PARTITIONS = 4096
"""Partitions of the table of pieces: each is scheduled and, after a lost machine, done again as one."""
CONNECT_S = 10.0
"""Seconds that the cluster has to answer its door: far more than any network takes."""
FAILED = b"!"
"""First byte of an answer that is an error's line; Arrow's files begin with another."""


def run(pieces: Sequence[Piece], address: str | None = None) -> Iterator[Outcome]:
    """The outcome of every piece. ``address`` of a Ray cluster; None: Daft's own threads on this machine.

    The cluster's machines need this package at the same version, and their own way to the objects.

    Raises
    ------
    InputError
        Daft or Ray is not installed, the cluster cannot be reached, or the work was given up.
    """
    if not pieces:
        return
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    daft = _daft(address)
    table = daft.from_pydict({"index": list(range(len(pieces))), **_columns(pieces)})
    if address is not None:
        table = table.into_partitions(min(len(pieces), MOST_PARTITIONS))
    work = daft.udf(return_dtype=daft.DataType.binary(), batch_size=1)(answers)
    table = table.select(
        daft.col("index"), work(*(daft.col(name) for name in ("run", "address", "first", "rows"))).alias("answer")
    )
    try:
        for row in table.iter_rows():
            yield pieces[row["index"]], _outcome(row["answer"])
    except Exception as error:  # Daft and Ray raise their own: a lost cluster, a worker that cannot be started
        why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise InputError(
            "--engine daft",
            found=f"gave up ({why[:160]})",
            remedy="check that every machine of the cluster has this package and can reach the objects",
        ) from None


def answers(run: Any, address: Any, first: Any, rows: Any) -> list[bytes]:
    """On the machine that works: the moments of each piece as an Arrow file, or the line about why there are none."""
    out = []
    for values in zip(*(column.to_pylist() for column in (run, address, first, rows)), strict=True):
        piece = Piece(run=values[0], address=values[1], first=values[2], rows=values[3] if values[3] >= 0 else None)
        try:
            buffer = io.BytesIO()
            moments_of(piece).write_ipc(buffer)
            out.append(buffer.getvalue())
        except InputError as error:
            out.append(FAILED + str(error).encode())
    return out


def _columns(pieces: Sequence[Piece]) -> dict[str, list[Any]]:
    return {
        "run": [p.run for p in pieces],
        "address": [p.address for p in pieces],
        "first": [p.first for p in pieces],
        "rows": [-1 if p.rows is None else p.rows for p in pieces],
    }


def _outcome(answer: bytes) -> pl.DataFrame | str:
    import polars as pl

    return answer[1:].decode() if answer.startswith(FAILED) else pl.read_ipc(io.BytesIO(answer))


def _daft(address: str | None) -> Any:
    """Daft, set to run here or on the cluster."""
    try:
        daft = import_module("daft")
        ray = import_module("ray") if address is not None else None
    except ImportError as missing:
        raise InputError("--engine daft", found=f"{missing.name} is not installed", remedy=REMEDY) from None
    if address is not None:
        check_listening(address)
    try:
        if ray is None:
            daft.set_runner_native()
        else:
            if not ray.is_initialized():
                ray.init(address=address, logging_level="ERROR", log_to_driver=False)
            daft.set_runner_ray(noop_if_initialized=True)
    except Exception as error:  # a cluster that is not there, or of another version of Ray or Python
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            "--ray-address", found=f"{address} cannot be reached ({why[:120]})", expected="a running Ray cluster"
        ) from None
    return daft


def check_listening(address: str) -> None:
    """That somebody listens there: Ray itself would wait for minutes. ``auto`` is Ray's word for the cluster it knows of.

    Raises
    ------
    InputError
        Not HOST:PORT, or nothing listens at it.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    expected = "HOST:PORT of a running Ray cluster, ray://HOST:PORT, or auto"
    if not host or not port.isdecimal():
        raise InputError("--ray-address", found=repr(address), expected=expected)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise InputError("--ray-address", found=f"nothing answers at {address} ({error})", expected=expected) from None


ENGINE = Engine(name="daft", where="this machine, or a Ray cluster with --ray-address", run=run)
