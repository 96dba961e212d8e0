"""A small benchmark that CI can run: fails where one of its ratios has doubled since it was last written down.

    python benchmarks/guard.py            # compare with benchmarks/results/guard.json; exit 1 on a doubled ratio
    python benchmarks/guard.py --write    # write them down anew

Ratios of processes run in turn, so that the machine's own speed is in both. A doubled ratio is a defect in the code on any
machine; a smaller change is not told from noise here.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import many_runs, per_epoch_metrics, startup

WRITTEN = Path(__file__).resolve().parent / "results" / "guard.json"
DOUBLED = 2.0
PAIRS = 7
"""Pairs a ratio: its median then stands against three slow ones."""
ROWS, EPOCHS = 3_000_000, 30
RUNS = 300


def per_epoch() -> float:
    """Per-epoch metrics of 3 M rows over the scan-and-sum of the same file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.parquet"
        per_epoch_metrics.run_child("--generate", str(path), str(EPOCHS), str(ROWS // EPOCHS), "float64")
        names = [per_epoch_metrics.BASELINE, per_epoch_metrics.OURS]
        return per_epoch_metrics.measure(path, names, PAIRS)[per_epoch_metrics.OURS]["times_baseline"]


def one_report() -> float:
    """``analyze`` on one history, without charts, over the imports it rests on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        startup.write_history(folder / "run.csv")
        ours = [sys.executable, "-m", "runreport", "analyze", "run.csv", "--no-charts", "--out", "reports"]
        base = [sys.executable, "-c", "import polars, jinja2"]
        for command in (ours, base):
            startup.seconds(command, folder)
        return statistics.median(startup.seconds(ours, folder) / startup.seconds(base, folder) for _ in range(PAIRS))


def reading() -> float:
    """300 logs to runs over one polars scan of the same bytes, whole processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many_runs.write_logs(folder, RUNS, 60)
        many_runs.measured(many_runs.SCAN, [name], folder)
        ratios = []
        for _ in range(PAIRS):
            load, _, loaded = many_runs.measured(many_runs.LOAD, [name], folder)
            scan, _, scanned = many_runs.measured(many_runs.SCAN, [name], folder)
            loaded.check_returncode()
            scanned.check_returncode()
            ratios.append(load / scan)
        return statistics.median(ratios)


RATIOS = {"per-epoch metrics / scan and sum": per_epoch, "one report / imports": one_report, "reading / scan": reading}


def doubled(now: dict[str, float], then: dict[str, float]) -> list[str]:
    """A line for each ratio that is more than twice what it was; one that was never written down counts as such."""
    return [
        f"{name}: {value:.2f}, was {then[name]:.2f}" if name in then else f"{name}: {value:.2f}, never written down"
        for name, value in now.items()
        if name not in then or value > DOUBLED * then[name]
    ]


def main() -> None:
    """Measure; compare or write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    now = {name: measure() for name, measure in RATIOS.items()}
    for name, value in now.items():
        print(f"{name}: {value:.2f}")
    if options.write:
        WRITTEN.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        return
    worse = doubled(now, json.loads(WRITTEN.read_text(encoding="utf-8")))
    if worse:
        sys.exit("a ratio has doubled: " + "; ".join(worse))


if __name__ == "__main__":
    main()
