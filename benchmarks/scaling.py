"""How time and peak memory grow: with the rows of one file, with the number of runs, with the nodes of a cluster.

    python benchmarks/scaling.py rows  [--most 100000000] [--repeats 3] --out benchmarks/results/scaling_rows.json
    python benchmarks/scaling.py runs  [--most 10000]     [--repeats 3] --out benchmarks/results/scaling_runs.json
    python benchmarks/scaling.py nodes [--most 4]         [--repeats 3] --out benchmarks/results/scaling_nodes.json

Rows: the programs of ``per_epoch_metrics.py``, each a process of its own, in turn. Runs: ``runreport analyze`` on a folder
of logs, beside one polars scan of the same bytes, as in ``many_runs.py``. Nodes: one table of per-epoch predictions through
``--engine daft`` on a Ray cluster of 1 to 4 nodes of one CPU, all on this machine (so at most as many help as it has
cores), beside ``--engine polars`` in a process of one thread. Needs the extra ``cluster`` for the last.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import many_runs, per_epoch_metrics

EPOCHS = 100
PANDAS_ROWS = 30_000_000
"""Rows up to which pandas is measured: it holds all of them, 100 bytes a row."""
NODE_ROWS = 20_000_000
NODE_PIECE_BYTES = 8 * 1024**2
"""Small pieces, so that four nodes have enough of them to share."""
OBJECT_STORE_BYTES = 100 * 1024**2


def over_rows(most: int, repeats: int) -> list[dict[str, Any]]:
    """A point a decade: seconds and peak MiB of each program, and its time against the scan in the same round."""
    points = []
    rows = 10_000
    while rows <= most:
        names = [n for n in per_epoch_metrics.available() if rows <= PANDAS_ROWS or not n.startswith("pandas")]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "predictions.parquet"
            per_epoch_metrics.run_child("--generate", str(path), str(EPOCHS), str(rows // EPOCHS), "float64")
            medians = per_epoch_metrics.measure(path, names, repeats)
            size = path.stat().st_size
        points.append({"rows": rows, "bytes": size, "programs": medians})
        print(per_epoch_metrics.table(f"{rows:,} rows", medians), flush=True)
        rows *= 10
    return points


def over_runs(most: int, repeats: int) -> list[dict[str, Any]]:
    """A point a decade: seconds of ``analyze`` (no charts, no cache) and of the scan, and the median of their ratios."""
    points = []
    runs = 1
    while runs <= most:
        with tempfile.TemporaryDirectory() as scratch:
            logs = Path(scratch) / "logs"
            logs.mkdir()
            size = many_runs.write_logs(logs, runs, 60)
            pairs = []
            for _ in range(repeats if runs < 10_000 else 1):
                scan, _, scanned = many_runs.measured(many_runs.SCAN, [str(logs)], logs)
                scanned.check_returncode()
                command = ["analyze", str(logs), "--out", f"{scratch}/out", "--no-charts", "-q", "--jobs", "2"]
                took, peak, done = many_runs.measured(many_runs.ANALYZE, command, Path(scratch))
                done.check_returncode()
                pairs.append((took, scan, peak))
        points.append({
            "runs": runs,
            "bytes": size,
            "analyze_seconds": statistics.median(p[0] for p in pairs),
            "scan_seconds": statistics.median(p[1] for p in pairs),
            "ratio": statistics.median(p[0] / p[1] for p in pairs),
            "peak_gib": max(p[2] for p in pairs),
        })  # fmt: skip
        print(points[-1], flush=True)
        runs *= 10
    return points


ON_ONE = """
import sys, time
from runreport.engines import local
from runreport.engines.objects import find_objects
from runreport.engines.runs import runs_from
objects = find_objects([sys.argv[1]])
start = time.perf_counter()
(run,) = runs_from(objects, local.ENGINE, piece_bytes=int(sys.argv[2]))
print(time.perf_counter() - start, run.history.columns["r2"][-1])
"""
ON_NODES = """
import logging, sys, time
from ray.cluster_utils import Cluster
from runreport.engines import daft
from runreport.engines.objects import find_objects
from runreport.engines.pieces import Piece
from runreport.engines.runs import runs_from
memory = {"object_store_memory": int(sys.argv[4])}
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **memory})
for _ in range(int(sys.argv[3])):
    cluster.add_node(num_cpus=1, **memory)
objects = find_objects([sys.argv[1]])
def once():
    start = time.perf_counter()
    (run,) = runs_from(objects, daft.ENGINE, cluster.address, piece_bytes=int(sys.argv[2]))
    return time.perf_counter() - start, run.history.columns["r2"][-1]
once()  # workers started, modules loaded
print(*once())
import ray
ray.shutdown()
cluster.shutdown()
"""


def over_nodes(most: int, repeats: int) -> list[dict[str, Any]]:
    """One point a number of nodes, 0 for the polars engine on one thread; all must find the same R²."""
    environment = os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "epoch_predictions_a.parquet"
        per_epoch_metrics.run_child("--generate", str(path), str(EPOCHS), str(NODE_ROWS // EPOCHS), "float64")

        def measured(nodes: int) -> tuple[float, float]:
            code, extra = (ON_NODES, [str(nodes), str(OBJECT_STORE_BYTES)]) if nodes else (ON_ONE, [])
            done = subprocess.run(
                [sys.executable, "-c", code, str(path), str(NODE_PIECE_BYTES), *extra],
                env=environment, check=True, capture_output=True, text=True,
            )  # fmt: skip
            seconds, r2 = done.stdout.strip().splitlines()[-1].split()
            return float(seconds), float(r2)

        counts = range(most + 1)
        rounds = [{nodes: measured(nodes) for nodes in counts} for _ in range(repeats)]
    found = {r2 for one in rounds for _, r2 in one.values()}
    if max(found) - min(found) > per_epoch_metrics.AGREEMENT:
        raise SystemExit(f"engines differ: {sorted(found)}")
    return [
        {
            "nodes": nodes,
            "rows": NODE_ROWS,
            "seconds": statistics.median(one[nodes][0] for one in rounds),
            "times_one_thread": statistics.median(one[nodes][0] / one[0][0] for one in rounds),
        }
        for nodes in counts
    ]


CURVES = {"rows": (over_rows, 100_000_000), "runs": (over_runs, 10_000), "nodes": (over_nodes, 4)}


def main() -> None:
    """Measure one curve, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("curve", choices=sorted(CURVES))
    parser.add_argument("--most", type=int, help="rows, runs or nodes up to which to measure")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    measure, most = CURVES[options.curve]
    start = time.time()
    points = measure(options.most or most, options.repeats)
    result = {
        "points": points,
        "repeats": options.repeats,
        "load_before": round(LOAD_BEFORE, 1),
        "took_seconds": round(time.time() - start),
        "machine": per_epoch_metrics.machine(),
    }
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


LOAD_BEFORE = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
"""Programs that ran beside it at the start: a figure taken at a load above the cores is of a busy machine."""

if __name__ == "__main__":
    main()
