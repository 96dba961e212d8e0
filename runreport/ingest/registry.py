"""The readers, most particular first: the first that claims a file has it."""

from __future__ import annotations

from runreport.ingest.reader import Reader

READERS: tuple[Reader, ...] = ()
