"""Which engines there are."""

from __future__ import annotations

from runreport.engines import daft, local
from runreport.engines.engine import Engine


def engines() -> tuple[Engine, ...]:
    """All of them. Their libraries are loaded when they run."""
    return (local.ENGINE, daft.ENGINE)
