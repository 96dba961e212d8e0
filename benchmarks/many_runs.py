"""``runreport analyze`` on a folder of many small logs, beside one polars scan of the same bytes and other programs.

    python benchmarks/many_runs.py [--runs 10000] [--epochs 60] [--jobs 2] [--peers PYTHON] [--out FILE.json]

Each command is a process of its own, so that its time and its peak memory are its own: the scan, the reading alone (every
log to a run), the JSON of every run, reports without charts, and the same reports again, out of the cache. One of the files
is broken: it must be one line, and stop nothing. Goal: reports in ≤ 6 × the time of the scan, peak memory < 1 GiB.

Seconds are told twice: on the clock, and of the processor (of the process and all that it started). On a machine that others
use the second is the one to compare by; beside ``--jobs`` the first is what a person waits.

``--peers`` names a Python that has losslint, runmedic, trainspotter and trainproof: each is called as its command line is, with
JSON output; those that take one file at a time once for each file, within one process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

GOAL, GOAL_GIB = 6.0, 1.0
SCANS = 5
"""Scans of which the median counts: everything is told as a multiple of it, and half a second is soon stretched."""
SCAN = "import polars, sys; frame = polars.scan_csv(sys.argv[1] + '/*.csv', infer_schema=False).collect(); assert frame.height"
LOAD = (
    "import sys\nfrom runreport.ingest.load import load_runs\nfrom runreport.run import Run\n"
    "count = sum(isinstance(item, Run) for item in load_runs([sys.argv[1]]))\nassert count"
)
ONE_BY_ONE = (
    "import contextlib, io, json, pathlib, sys\n"
    "from {module} import main\n"
    "said = 0\n"
    "for log in sorted(pathlib.Path(sys.argv[1]).glob('*.csv')):\n"
    "    sys.argv[1:] = [part.replace('LOG', str(log)) for part in {arguments}]\n"
    "    text = io.StringIO()\n"
    "    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):\n"
    "        main()\n"
    "    said += bool(json.loads(text.getvalue()))\n"
    "print(said)"
)
FOLDER = (
    "import contextlib, io, json, sys\n"
    "from {module} import main\n"
    "sys.argv[1:] = [part.replace('LOG', sys.argv[1]) for part in {arguments}]\n"
    "text = io.StringIO()\n"
    "with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):\n"
    "    main()\n"
    "found = json.loads(text.getvalue())\n"
    "print(len(found['runs'] if isinstance(found, dict) else found))"
)
PEERS = {
    "losslint": FOLDER.format(module="losslint.cli", arguments=["check", "LOG", "--format", "json"]),
    "runmedic": FOLDER.format(module="runmedic.cli", arguments=["diagnose", "LOG", "--json"]),
    "trainspotter": ONE_BY_ONE.format(
        module="trainspotter.cli", arguments=["analyze", "LOG", "--format", "csv", "--output", "json"]
    ),
    "trainproof": ONE_BY_ONE.format(module="trainproof.cli", arguments=["epoch", "LOG", "--format", "csv", "--json"]),
}
"""What other programs are called with; each prints how many logs it said something of."""
ANALYZE = "from runreport.cli import main; main()"
PEAK = (
    "import atexit, resource, sys\n"
    "def peak(): print('peak', *(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)),"
    " file=sys.stderr)\n"
    "atexit.register(peak)\n"
)


def write_logs(folder: Path, runs: int, epochs: int) -> int:
    """``runs`` histories, healthy ones with noise of their own; the bytes written."""
    size = 0
    for index in range(runs):
        noise = random.Random(index)
        rows = ["epoch,train_loss,val_loss,r2,variance_ratio,pred_std,learning_rate"]
        for epoch in range(1, epochs + 1):
            loss = 0.2 + 0.8 * math.exp(-epoch / 8) + noise.gauss(0, 0.01)
            r2 = 0.6 - math.exp(-epoch / 6) + noise.gauss(0, 0.01)
            rows.append(f"{epoch},{loss:.6f},{loss + 0.05:.6f},{r2:.6f},{0.7 - 0.3 / epoch:.6f},{0.7:.6f},0.001")
        size += (folder / f"run{index:05d}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return size


class Measured(NamedTuple):
    """One process: seconds on the clock and of the processor, peak GiB (its own, and its largest child's beside it)."""

    seconds: float
    cpu_seconds: float
    peak_gib: float
    done: subprocess.CompletedProcess[str]

    def figures(self, scan: Measured) -> dict[str, float]:
        """What is published, beside the scan."""
        return {
            "seconds": self.seconds, "cpu_seconds": self.cpu_seconds, "peak_gib": self.peak_gib,
            "ratio": self.seconds / scan.seconds, "cpu_ratio": self.cpu_seconds / scan.cpu_seconds,
        }  # fmt: skip


def measured(
    code: str, arguments: list[str], cwd: Path, python: str = sys.executable, said: Path | None = None
) -> Measured:
    """What this code takes in a process of its own; what it prints goes to the file ``said``, else is kept.

    A large output must not be kept: Linux tells a process that the peak of the one that started it was its own.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with said.open("wb") if said is not None else contextlib.nullcontext(subprocess.PIPE) as output:
        done = subprocess.run(
            [python, "-c", PEAK + code, *arguments], cwd=cwd, check=False, encoding="utf-8",
            stdout=output, stderr=subprocess.PIPE,
            env=os.environ | {"POLARS_MAX_THREADS": "2", "RUNREPORT_CACHE": f"{cwd}/cache"},
        )  # fmt: skip
    took = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    peaks = next(line for line in reversed(done.stderr.splitlines()) if line.startswith("peak")).split()[1:]
    return Measured(took, cpu, sum(map(int, peaks)) / 1024**2, done)


def peers(python: str, logs: Path, cwd: Path, scan: Measured) -> dict[str, object]:
    """Other programs over the same folder: version, figures, and how many of the logs they said something of."""
    found: dict[str, object] = {}
    for name, code in PEERS.items():
        version = f"import importlib.metadata as m; print(m.version({name!r}))"
        known = subprocess.run([python, "-c", version], capture_output=True, encoding="utf-8", check=False)
        if known.returncode:
            found[name] = {"error": "not installed"}
            continue
        took = measured(code, [str(logs)], cwd, python)
        counted = took.done.stdout.splitlines()[-1:] or [""]
        found[name] = {"version": known.stdout.strip(), "logs": int(counted[0] or 0), **took.figures(scan)}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--peers", metavar="PYTHON", type=lambda given: str(Path(given).absolute()))
    arguments = parser.parse_args()  # absolute, not resolved: a virtual environment's Python is a link
    with tempfile.TemporaryDirectory() as scratch:
        here, logs = Path(scratch), Path(scratch) / "logs"
        logs.mkdir()
        size = write_logs(logs, arguments.runs, arguments.epochs)
        measured(SCAN, [str(logs)], here)  # the files into the system's cache, for all alike
        scans = [measured(SCAN, [str(logs)], here) for _ in range(SCANS)]
        scan = sorted(scans, key=lambda one: one.cpu_seconds)[SCANS // 2]
        scan.done.check_returncode()
        load = measured(LOAD, [str(logs)], here)
        load.done.check_returncode()
        others = peers(arguments.peers, logs, here, scan) if arguments.peers else {}
        (logs / "run00007.csv").write_text("epoch,r2\n1,oops\n")
        jobs = ["--jobs", str(arguments.jobs)]
        command = ["analyze", str(logs), "--format", "json", "--no-cache", *jobs]
        whole = measured(ANALYZE, command, here, said=here / "whole.json")
        command = ["analyze", str(logs), "--out", f"{scratch}/out", "--no-charts", "-q", *jobs]
        reports = measured(ANALYZE, command, here)
        again = measured(ANALYZE, command, here)
        documents = len(json.loads((here / "whole.json").read_text(encoding="utf-8"))["runs"])
        lines = [[line for line in one.done.stderr.splitlines() if "run00007" in line] for one in (reports, again)]
        written = len(list((here / "out").glob("*.md")))
    ended = [one.done.returncode for one in (whole, reports, again)]
    if ended != [2, 2, 2] or [len(one) for one in lines] != [1, 1] or {written, documents} != {arguments.runs - 1}:
        sys.exit(
            f"not all reported: exits {ended}, {written} reports, {documents} documents, {lines} about the broken file"
        )
    result = {
        "runs": arguments.runs, "epochs": arguments.epochs, "bytes": size, "jobs": arguments.jobs,
        "scan_seconds": scan.seconds, "scan_cpu_seconds": scan.cpu_seconds,
        **{
            f"{name}_{figure}": value
            for name, one in (("load", load), ("json", whole), ("reports", reports), ("again", again))
            for figure, value in one.figures(scan).items()
        },
        "peers": others, "goal_ratio": GOAL, "goal_gib": GOAL_GIB,
        "python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count(), "load": os.getloadavg()[0],
    }  # fmt: skip
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
