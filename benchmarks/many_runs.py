"""``runreport analyze`` on a folder of many small logs, beside one polars scan of the same bytes.

    python benchmarks/many_runs.py [--runs 10000] [--epochs 60] [--jobs 2] [--out FILE.json]

Each command is a process of its own, so that its time and its peak memory are its own: the scan, the reading alone (every
log to a run), and reports without charts. One of the files is broken: it must be one line, and stop nothing.
Goal: reports in ≤ 6 × the time of the scan, peak memory < 1 GiB.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL, GOAL_GIB = 6.0, 1.0
SCAN = "import polars, sys; frame = polars.scan_csv(sys.argv[1] + '/*.csv', infer_schema=False).collect(); assert frame.height"
LOAD = (
    "import sys\nfrom runreport.ingest.load import load_runs\nfrom runreport.run import Run\n"
    "count = sum(isinstance(item, Run) for item in load_runs([sys.argv[1]]))\nassert count"
)
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


def measured(code: str, arguments: list[str], cwd: Path) -> tuple[float, float, subprocess.CompletedProcess[str]]:
    """Seconds, peak GiB (of the process, and of its largest child beside it), and the process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PEAK + code, *arguments],
        cwd=cwd, capture_output=True, encoding="utf-8", env=os.environ | {"POLARS_MAX_THREADS": "2"}, check=False,
    )  # fmt: skip
    took = time.perf_counter() - start
    peaks = next(line for line in reversed(done.stderr.splitlines()) if line.startswith("peak")).split()[1:]
    return took, sum(map(int, peaks)) / 1024**2, done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        logs = Path(scratch) / "logs"
        logs.mkdir()
        size = write_logs(logs, arguments.runs, arguments.epochs)
        measured(SCAN, [str(logs)], logs)  # the files into the system's cache, for all alike
        scan, _, scanned = measured(SCAN, [str(logs)], logs)
        scanned.check_returncode()
        load, load_gib, loaded = measured(LOAD, [str(logs)], logs)
        loaded.check_returncode()
        (logs / "run00007.csv").write_text("epoch,r2\n1,oops\n")
        command = ["analyze", str(logs), "--out", f"{scratch}/out", "--no-charts", "-q", "--jobs", str(arguments.jobs)]
        reports, reports_gib, done = measured(ANALYZE, command, Path(scratch))
        lines = [line for line in done.stderr.splitlines() if "run00007" in line]
        written = len(list((Path(scratch) / "out").glob("*.md")))
    if done.returncode != 2 or len(lines) != 1 or written != arguments.runs - 1:
        sys.exit(
            f"not all reported: exit {done.returncode}, {written} reports, {len(lines)} lines about the broken file"
        )
    result = {
        "runs": arguments.runs, "epochs": arguments.epochs, "bytes": size, "jobs": arguments.jobs,
        "scan_seconds": scan, "load_seconds": load, "load_ratio": load / scan, "load_peak_gib": load_gib,
        "reports_seconds": reports, "reports_ratio": reports / scan, "reports_peak_gib": reports_gib,
        "goal_ratio": GOAL, "goal_gib": GOAL_GIB,
        "python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count(),
    }  # fmt: skip
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
