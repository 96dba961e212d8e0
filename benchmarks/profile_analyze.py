"""Where the time of one ``runreport analyze`` with all its charts goes, as Markdown and as a page.

    python benchmarks/profile_analyze.py [--run example_logs/csv/run4.csv] [--repeats 5] [--out FILE.json]

Each call is a process of its own: the command itself, with a clock around the functions that its stages begin in and around
every import, wherever it happens. A stage's time is without that of the stages inside it; what is in none is ``other``. All
seconds are of the processor, over all threads: other work on the machine does not stretch them.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FORMATS = ("md", "html")
STAGES: dict[str, tuple[str, ...]] = {
    "reading": ("runreport.ingest.load:find", "runreport.ingest.load:read_source"),
    "metrics and resampling": (
        "runreport.analysis.engine:with_history", "runreport.analysis.engine:load_epoch_predictions",
        "runreport.analysis.engine:load_epoch_metrics", "runreport.analysis.engine:audit",
        "runreport.analysis.engine:final_of", "runreport.analysis.engine:validation_of",
    ),
    "rules and advice": (
        "runreport.analysis.engine:_run_rules", "runreport.analysis.engine:judge", "runreport.analysis.engine:give_advice",
    ),
    "charts": (),
    "rendering": ("runreport.report.write:build_report",),
    "writing": ("runreport.report.write:write_text",),
}  # fmt: skip
"""Stage -> the functions that it begins in, as ``module:name`` where they are looked up."""
OF_FORMAT: dict[str, dict[str, tuple[str, ...]]] = {
    "md": {
        "charts": (
            "runreport.report.charts:history_chart", "runreport.report.charts:predictions_chart",
            "runreport.report.charts:to_svg",
        ),
        "rendering": ("runreport.report.write:render_markdown",),
    },
    "html": {
        "charts": ("runreport.report.write:page_charts",),
        "rendering": ("runreport.report.html:render_html",),
    },
}  # fmt: skip
HEAVY = (
    "numpy",
    "polars",
    "scipy",
    "altair",
    "vl_convert",
    "jinja2",
    "rich",
    "yaml",
    "pandas",
    "pyarrow",
    "torch",
    "daft",
)
"""Libraries whose import takes its time; which of them a call had is told beside its times."""


class Clock:
    """Processor seconds by stage; a stage within another stops the outer one's clock."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack = ["other"]
        self._since = 0.0  # the start of the process: its interpreter is part of "other"

    def enter(self, stage: str) -> None:
        self._take()
        self._stack.append(stage)

    def leave(self) -> None:
        self._take()
        self._stack.pop()

    def _take(self) -> None:
        now = time.process_time()
        stage = self._stack[-1]
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed as ``stage``."""

        def timed(*arguments: Any, **named: Any) -> Any:
            self.enter(stage)
            try:
                return function(*arguments, **named)
            finally:
                self.leave()

        return timed


def child(form: str, run: str, out: str) -> None:
    """One call in this process; prints its stages, and its heavy libraries, as the last line."""
    clock = Clock()
    builtins.__import__ = clock.around("imports", builtins.__import__)
    clock.enter("imports")
    for stage in STAGES:
        for place in (*STAGES[stage], *OF_FORMAT[form].get(stage, ())):
            module, _, name = place.partition(":")
            found = importlib.import_module(module)
            setattr(found, name, clock.around(stage, getattr(found, name)))
    clock.leave()
    from runreport.cli import main as command

    sys.argv = ["runreport", "analyze", run, "--format", form, "--out", out]
    code = 0
    try:
        command()
    except SystemExit as end:
        code = int(end.code or 0)
    clock.enter("other")
    print(json.dumps({"code": code, "stages": clock.seconds, "libraries": [m for m in HEAVY if m in sys.modules]}))


def profile(form: str, run: Path, repeats: int) -> dict[str, Any]:
    """Medians over the repeats of one format, after a first call that warms the files and the bytecode."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    calls = []
    with tempfile.TemporaryDirectory() as folder:
        environment["RUNREPORT_CACHE"] = f"{folder}/cache"
        for _ in range(repeats + 1):
            done = subprocess.run(
                [sys.executable, __file__, "--child", form, "--run", str(run), "--out", f"{folder}/out"],
                cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True,
            )  # fmt: skip
            calls.append(json.loads(done.stdout.splitlines()[-1]))
    if any(call["code"] for call in calls):
        sys.exit(f"analyze --format {form} of {run} ended with {[call['code'] for call in calls]}")
    first, *calls = calls
    names = ("imports", *STAGES, "other")
    stages = {name: statistics.median(call["stages"].get(name, 0.0) for call in calls) for name in names}
    total = statistics.median(sum(call["stages"].values()) for call in calls)
    return {
        "total_cpu_seconds": total,
        "stages": stages,
        "first_rendering": first["stages"]["rendering"],
        "libraries": calls[0]["libraries"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, default=ROOT / "example_logs" / "csv" / "run4.csv")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", choices=FORMATS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child, str(arguments.run), str(arguments.out))
        return
    shown = arguments.run.resolve()
    result = {
        "run": shown.relative_to(ROOT).as_posix() if shown.is_relative_to(ROOT) else shown.name,
        "repeats": arguments.repeats,
        "formats": {form: profile(form, shown, arguments.repeats) for form in FORMATS},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
