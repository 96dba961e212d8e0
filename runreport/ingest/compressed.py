"""Compressed logs: what a file is called without its compression, and its bytes, never more of them than were asked for."""

from __future__ import annotations

import io
import zlib
from importlib import import_module  # neither zstd library need be there
from pathlib import Path
from typing import Any, cast

from runreport.errors import InputError

ENDINGS = (".gz", ".zst")
GZIP, ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
"""What compressed data begins with (RFC 1952, RFC 8878): told by this, not by the name, which may be wrong."""
ZSTD_MODULES = (("compression.zstd", "ZstdFile"), ("zstandard", "open"))
"""Where zstd may be found: Python has it from 3.14 on."""


def plain_path(path: Path) -> Path:
    """The path without the ending of a compression: ``run.csv`` of ``run.csv.gz``.

    >>> plain_path(Path("logs/run.csv.gz")).name, plain_path(Path("run.csv")).name
    ('run.csv', 'run.csv')
    """
    return path.with_suffix("") if path.suffix.lower() in ENDINGS else path


def is_compressed(data: bytes) -> bool:
    """Whether these are the first bytes of a compressed file."""
    return data.startswith((GZIP, ZSTD))


def expand(path: Path, data: bytes, most: int) -> bytes:
    """The bytes of compressed ``data``, at most ``most`` of them; data that is not compressed as it is.

    A stream that ends early (a crash, a copy cut short) gives what came before its end, as an uncompressed file would.

    Raises
    ------
    InputError
        Damaged data, or zstd where no library for it is installed.
    """
    if data.startswith(GZIP):
        try:
            return _gunzip(data, most)
        except zlib.error:
            raise InputError(path, found="gzip data that is damaged", expected="a whole .gz file") from None
    if data.startswith(ZSTD):
        return _unzstd(path, data, most)
    return data


def _gunzip(data: bytes, most: int) -> bytes:
    """Every member of a gzip file (``cat a.gz b.gz`` has two)."""
    parts: list[bytes] = []
    left = most
    while data.startswith(GZIP) and left > 0:
        member = zlib.decompressobj(wbits=31)
        part = member.decompress(data, left)
        parts.append(part)
        left -= len(part)
        data = member.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def _unzstd(path: Path, data: bytes, most: int) -> bytes:
    for module, opener in ZSTD_MODULES:
        try:
            opened = cast(Any, getattr(import_module(module), opener))(io.BytesIO(data))
        except ImportError:
            continue
        parts: list[bytes] = []
        left = most
        try:
            while left > 0 and (part := opened.read(min(left, 1 << 20))):
                parts.append(part)
                left -= len(part)
        except EOFError:
            pass
        except Exception as error:  # ZstdError of either library, which share no base class
            if not parts:
                found = f"zstd data that is damaged ({type(error).__name__})"
                raise InputError(path, found=found, expected="a whole .zst file") from None
        return b"".join(parts)
    raise InputError(
        path, found="zstd data, and no library for it is installed", remedy="pip install 'regression-runreport[zstd]'"
    )
