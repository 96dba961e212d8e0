"""A sweep of seeds three ways: one run, all runs in processes of their own, all runs as one stack.

    python benchmarks/seed_sweep.py [--seeds 30] [--device cpu] [--out benchmarks/results/seed_sweep.json]

Each is the command that a person types (``python -m training sweep``, two processes at a time, or ``--together``) with its
start-up, the loading of the data and the files that it leaves. Sizes: a small network on the 442 patients of scikit-learn's
diabetes, and a small convolutional one on simulated flights of 24 × 24 pixels. The three are run in turn in each round;
samples/s are training samples of all runs over the seconds on the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EPOCHS = 30
CASES = {
    "table": (
        "base: diabetes\nset: {max_epochs: 30, patience: 30, train_metrics_every: 30}\n",
        "an MLP on the table diabetes",
    ),
    "flights": (
        "base: healthy\nset:\n  augment: false\n  max_epochs: 30\n  patience: 30\n  train_metrics_every: 30\n  threads: 1\n"
        "  data: {frame_height: 24, frame_width: 24, train_samples: 200, val_samples: 60, test_samples: 60}\n",
        "the convolutional network on flights of 24 × 24 pixels",
    ),
}
WAYS = ("one run", "processes", "stack")
ROUNDS = {"table": 3, "flights": 1}
"""A round of the flights is some five minutes, within which other work on the machine averages out; one of the table is one."""


def train(sweep: Path, out: Path, *, device: str, options: list[str]) -> dict[str, float]:
    """Seconds on the clock and of the processor (of the command and all it starts) of one sweep."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "training", "sweep", str(sweep), "--out", str(out), "--device", device, *options]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": seconds,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def measure(case: str, seeds: int, rounds: int, jobs: int, device: str) -> dict[str, Any]:
    """Medians of the three ways, and how far the stack's runs are from the same runs alone."""
    text, what = CASES[case]
    times: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        one, many = root / "one.yaml", root / "many.yaml"
        one.write_text(f"{text}seeds: [1]\n", encoding="utf-8")
        many.write_text(f"{text}seeds: {list(range(1, seeds + 1))}\n", encoding="utf-8")
        for number in range(rounds):
            out = root / str(number)
            times["one run"].append(train(one, out / "one", device=device, options=["--jobs", "1"]))
            times["processes"].append(train(many, out / "processes", device=device, options=["--jobs", str(jobs)]))
            times["stack"].append(train(many, out / "stack", device=device, options=["--together"]))
        found = {way: _metrics(out / way / "many") for way in ("processes", "stack")}
        samples = next(iter(found["stack"].values()))["splits"]["train"]["n"] * EPOCHS
        assert len(found["stack"]) == len(found["processes"]) == seeds, "every seed leaves its metrics"
        differences = [abs(found["stack"][name]["r2"] - found["processes"][name]["r2"]) for name in found["stack"]]
    ways = {}
    for way in WAYS:
        runs = 1 if way == "one run" else seeds
        median = {key: statistics.median(t[key] for t in times[way]) for key in ("seconds", "processor_seconds")}
        ways[way] = {
            **median,
            "runs": runs,
            "samples_per_second": runs * samples / median["seconds"],
            "times_one_run": statistics.median(t["seconds"] / o["seconds"] for t, o in _pairs(times, way)),
            "times_one_run_processor": statistics.median(
                t["processor_seconds"] / o["processor_seconds"] for t, o in _pairs(times, way)
            ),
        }
    return {
        "case": case,
        "what": what,
        "rounds": rounds,
        "train_samples": samples // EPOCHS,
        "ways": ways,
        "largest_r2_difference": max(differences),
    }


def _pairs(times: dict[str, list[dict[str, float]]], way: str) -> list[tuple[dict[str, float], dict[str, float]]]:
    return list(zip(times[way], times["one run"], strict=True))


def _metrics(folder: Path) -> dict[str, Any]:
    return {p.name: json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("metrics_*.json"))}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    import torch

    jobs = os.cpu_count() or 1
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    document = {
        "seeds": options.seeds,
        "epochs": EPOCHS,
        "jobs": jobs,
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "cores": os.cpu_count(),
        "load_before": load,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cases": [measure(case, options.seeds, ROUNDS[case], jobs, options.device) for case in CASES],
    }
    for case in document["cases"]:
        print(case["what"], f"(R² alone and stacked differ by {case['largest_r2_difference']:.1e} at most)")
        for way, found in case["ways"].items():
            print(
                f"  {way:10} {found['runs']:3} runs  {found['seconds']:7.2f} s  {found['processor_seconds']:7.2f} CPU s  "
                f"{found['samples_per_second']:9.0f} samples/s  {found['times_one_run']:6.2f} × one run"
            )
    if options.out is not None:
        options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
