"""runreport: what happened in a regression training run, and what to try next.

``import runreport`` loads nothing heavy: the names below are looked up when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runreport.api import ComparisonReport, Report, analyze, compare_runs, load, load_all
    from runreport.errors import InputError
    from runreport.run import Run

__all__ = ["ComparisonReport", "InputError", "Report", "Run", "analyze", "compare_runs", "load", "load_all"]

_MODULES = {"InputError": "runreport.errors", "Run": "runreport.run"}
"""Where a name is from, if not from runreport.api."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES.get(name, "runreport.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
