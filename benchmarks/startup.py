"""Whole-process time of ``runreport analyze`` on one 50-epoch history without charts, beside the imports it rests on.

    python benchmarks/startup.py [--pairs 9] [--out FILE.json]

Pairs A B A B ... in one run, so that a drift of the machine's speed cancels in each pair's ratio. B is
``python -c "import polars, jinja2"``: what reading a CSV and filling a template cost before a line of ours runs.
Goal: the median ratio ≤ 1.5.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

GOAL = 1.5
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed package has its bytecode beside it; a checkout gets it at the first run, unless this forbids it."""


def write_history(path: Path, epochs: int = 50) -> None:
    """A healthy run: R² rises to 0.6, the rate warms up and falls."""
    noise = random.Random(7)
    rows = ["epoch,train_loss,val_loss,r2,variance_ratio,pred_std,pred_range,learning_rate"]
    for epoch in range(1, epochs + 1):
        r2 = 0.6 - math.exp(-epoch / 6) + noise.gauss(0, 0.01)
        loss = 0.2 + 0.8 * math.exp(-epoch / 6)
        ratio = 0.75 - 0.4 * math.exp(-epoch / 8)
        rate = 1e-3 * min(1.0, epoch / 5) * (0.5 if epoch > 30 else 1.0)
        rows.append(
            f"{epoch},{loss:.5f},{loss + 0.05:.5f},{r2:.5f},{ratio:.5f},{ratio / 2:.5f},{ratio * 2:.5f},{rate:.6f}"
        )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def seconds(command: Sequence[str], folder: Path) -> float:
    """Wall time of one whole process; an exit code other than 0 ends the benchmark."""
    start = time.perf_counter()
    subprocess.run(
        command, cwd=folder, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_history(folder / "run.csv")
        ours = [sys.executable, "-m", "runreport", "analyze", "run.csv", "--no-charts", "--out", "reports"]
        base = [sys.executable, "-c", "import polars, jinja2"]
        for command in (ours, base):
            seconds(command, folder)  # warms the file cache and the bytecode
        pairs = [(seconds(ours, folder), seconds(base, folder)) for _ in range(arguments.pairs)]
    ratios = [a / b for a, b in pairs]
    result = {
        "analyze_seconds": statistics.median(a for a, _ in pairs),
        "imports_seconds": statistics.median(b for _, b in pairs),
        "ratio": statistics.median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "goal": GOAL,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    print(
        f"analyze {result['analyze_seconds']:.3f} s, imports {result['imports_seconds']:.3f} s, ratio {result['ratio']:.2f} "
        f"({min(ratios):.2f}-{max(ratios):.2f}), goal ≤ {GOAL}"
    )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
