"""docs/benchmarks.md, docs/scale.md and their picture from benchmarks/results/*.json, so that no figure on them was typed.

python benchmarks/page.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.pages import many, one_report, per_epoch, picture, resampling, scale, scaling, seeds, stages

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DOCS = ROOT / "docs"

INTRODUCTION = """# Benchmarks

Written by `python benchmarks/page.py` from `benchmarks/results/`; do not edit. `make bench` takes all figures anew and
writes this page. Ratios are medians of pairs run in turn in one go, so that a slow minute of the machine hits both sides.
Coverage of the intervals is in [coverage.md](coverage.md), the training loop in
[training-performance.md](training-performance.md), and what these rates mean for a million runs or 1e12 predictions in
[scale.md](scale.md).
"""


def load(name: str) -> Any:
    """One result file."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    """Write the pages and the picture."""
    rows, runs, nodes = load("scaling_rows"), load("scaling_runs"), load("scaling_nodes")
    picture.save(rows, runs, DOCS / "images" / "scaling.svg")
    sections = [
        INTRODUCTION,
        scaling.section(rows, runs, nodes),
        one_report.section(load("startup")),
        stages.section(load("profile_analyze")),
        per_epoch.section(load("per_epoch_metrics")),
        many.section(load("many_runs")),
        resampling.section(load("bootstrap")),
        seeds.section(load("seed_sweep")),
    ]
    (DOCS / "benchmarks.md").write_text("\n".join(sections), encoding="utf-8")
    (DOCS / "scale.md").write_text(scale.page(rows, runs, nodes), encoding="utf-8")


if __name__ == "__main__":
    main()
