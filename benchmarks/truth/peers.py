"""Other tools that read training logs, run on the same history; each is used where it is installed, else said to be missing.

Each is called through its own command-line entry point with JSON output. To be fair to tools that expect steps, the epoch
column is called ``step`` in the copy that they get, and the gradient norm ``grad_norm``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.truth.case import Case
from benchmarks.truth.diagnose import Diagnosis
from benchmarks.truth.mapping import PEERS

Check = tuple[str, str]
"""Name of a check, and its severity in the tool's own words."""


def installed() -> dict[str, str | None]:
    """Tool -> version, None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in PEERS:
        known = importlib.util.find_spec(name) is not None
        found[name] = importlib.metadata.version(name) if known else None
    return found


def diagnose_with(name: str, case: Case) -> Diagnosis:
    """What one of the tools says of this run's history."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        log = Path(folder) / "log.csv"
        header, _, rest = case.history.read_text(encoding="utf-8").partition("\n")
        renamed = {"epoch": "step", "grad_norm_total": "grad_norm"}
        columns = [renamed.get(column, column) for column in header.split(",")]
        log.write_text(",".join(columns) + "\n" + rest, encoding="utf-8")
        try:
            checks = READERS[name](log)
        except (Exception, SystemExit) as error:  # a tool that breaks on a log has said nothing about it
            return Diagnosis(error=f"{type(error).__name__}: {error}")
    known = PEERS[name]
    serious = tuple(check for check, severity in checks if severity in ("critical", "error", "FAIL"))
    named = tuple(known[check] for check, _ in checks if check in known)
    rules = tuple(check for check, _ in checks)
    return Diagnosis(lead=rules[0] if rules else None, rules=rules, named=named, critical=serious)


def _json_of(module: str, *arguments: str) -> Any:
    """What a tool prints as JSON when its main function is called with these arguments."""
    main: Callable[..., Any] = importlib.import_module(module).main
    printed = io.StringIO()
    program = module.partition(".")[0]
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(io.StringIO()),
        mock.patch.object(sys, "argv", [program, *arguments]),
        contextlib.suppress(SystemExit),
    ):
        main()
    return json.loads(printed.getvalue())


def _losslint(log: Path) -> list[Check]:
    document = _json_of("losslint.cli", "check", str(log), "--format", "json")
    return [(f["check"], f["severity"]) for f in document["findings"]]


def _runmedic(log: Path) -> list[Check]:
    document = _json_of("runmedic.cli", "diagnose", str(log), "--json")
    return [(f["check"], f["severity"]) for run in document for f in run["findings"]]


def _trainspotter(log: Path) -> list[Check]:
    document = _json_of("trainspotter.cli", "analyze", str(log), "--format", "csv", "--output", "json")
    return [(f["detector"], f["severity"]) for f in document["findings"]]


def _trainproof(log: Path) -> list[Check]:
    document = _json_of("trainproof.cli", "epoch", str(log), "--format", "csv", "--json")
    found = [f for report in document["reports"] for f in report["findings"]]
    return [(f["id"], f["level"]) for f in found if f["level"] in ("WARN", "FAIL")]


READERS: dict[str, Callable[[Path], list[Check]]] = {
    "losslint": _losslint,
    "runmedic": _runmedic,
    "trainspotter": _trainspotter,
    "trainproof": _trainproof,
}
