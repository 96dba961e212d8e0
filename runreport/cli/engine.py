"""``--engine``: per-epoch predictions reduced to moments where they lie, instead of files read here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runreport.errors import InputError
    from runreport.run import Run


class EngineName(StrEnum):
    """Engines by name."""

    POLARS = "polars"
    DAFT = "daft"


def runs_by_engine(
    paths: list[str], engine: EngineName | None, ray_address: str | None
) -> list[Run | InputError] | None:
    """Runs (or errors) from Parquet files of per-epoch predictions; None where no engine was asked for.

    Raises
    ------
    InputError
        An address without the engine that uses it, an argument that names no Parquet file, or as the engine does.
    """
    from runreport.errors import InputError

    if engine is None:
        if ray_address is not None:
            raise InputError("--ray-address", found="no engine that uses it", expected="--engine daft with it")
        return None
    from runreport.engines.objects import find_objects
    from runreport.engines.registry import engines
    from runreport.engines.runs import runs_from

    objects = find_objects(paths)
    chosen = next(e for e in engines() if e.name == engine.value)
    return runs_from(objects, chosen, ray_address)
