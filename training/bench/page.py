"""docs/training-performance.md from the figures that ``bench --out`` wrote, so that none on the page was typed.

python -m training.bench.page benchmarks/results/training_*.json --out docs/training-performance.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.bench.lines import (
    EXPERIMENT_GOAL_SECONDS,
    FAST_GOAL,
    LOOP_NAMES,
    goals,
    machine,
    ratios,
    sentences,
    size_of,
)

GPU_COMMAND = "python -m training bench --device cuda --out benchmarks/results/training_gpu.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page."""
    parser = argparse.ArgumentParser(prog="python -m training.bench.page", description="Writes the page of figures.")
    parser.add_argument("results", nargs="+", type=Path, help="files that bench --out wrote")
    parser.add_argument("--out", type=Path, required=True, help="the Markdown file")
    options = parser.parse_args(arguments)
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(options.results)]
    options.out.write_text(page(documents), encoding="utf-8")
    return 0


def page(documents: Sequence[dict[str, Any]]) -> str:
    """The page, of what ``run_bench`` returned on one or more machines."""
    lines = introduction()
    if not any(document["device"]["kind"] == "cuda" for document in documents):
        lines += [
            "**No GPU figure exists yet.** The goals on a GPU are at least "
            f"{FAST_GOAL:g} × the plain loop at the source's size",
            f"(3 × 440 × 640, batch 20) and an experiment of run4's size below {EXPERIMENT_GOAL_SECONDS:g} s; neither has "
            "been checked. On a machine",
            f"with a GPU `{GPU_COMMAND}` takes the figures.",
            "",
        ]
    for document in documents:
        lines += section(document)
    return "\n".join(lines).rstrip("\n") + "\n"


def introduction() -> list[str]:
    """What is compared, and how."""
    return [
        "# Speed of the training loop",
        "",
        "Written by `python -m training.bench.page` from `benchmarks/results/training_*.json`; do not edit.",
        "",
        "`python -m training bench` trains one network, Huber with a variance penalty as run4, in three loops from the same",
        "weights on the same samples:",
        "",
        "- the **plain loop**: `DataLoader`, a sample at a time, float32, eager, torch's own switches, the loss read back at",
        "  each step, nothing measured;",
        "- **this loop, as the presets**: float32, deterministic, with its gradient norms;",
        "- **this loop, fastest**: on a CPU channels last; on a GPU bf16, channels last, compiled, replayed as graphs.",
        "",
        "They are timed in turn, every second round in reverse order, so that a slow minute of the machine hits all alike. A",
        "loop's *times plain* is the median over rounds of plain seconds over its own in the same round. The interval is the",
        "median's by order statistics. A loop is called faster or slower only where that excludes 1. The first epoch warms up",
        "and shows that all train the same: its losses are given. Only the training pass is timed there; whole epochs stand",
        "below each table. On one CPU thread the processor's time is given as well: it does not count",
        "the time that other programs on the same cores take, though their use of caches and memory still lengthens it.",
        "Samples/s and ms a step are by the wall clock; so is everything where nothing else is said.",
        "",
        "The roofline is the larger of two times over the time taken: the step's operations at the speed of a large matrix",
        "product, its bytes at the speed of a large copy, both measured just before; each the least of its repetitions, on one",
        "CPU thread in processor time. Work is counted operation by operation on the plain step, forward and backward,",
        "uncompiled.",
        "",
    ]


def section(document: dict[str, Any]) -> list[str]:
    """One machine."""
    lines = [f"## {document['device']['name']}", "", f"{machine(document)}.", ""]
    for case in document["cases"]:
        lines += [
            f"### {size_of(case)}",
            "",
            "| loop | samples/s | ms a step | times plain | 95 % interval | rounds | by | |",
            "|---|--:|--:|--:|--:|--:|---|---|",
            *(row for name, loop in case["loops"].items() for row in table_rows(name, loop)),
            "",
            *(f"- {sentence}" for sentence in (*sentences(document, case), *goals(document, case))),
            "",
        ]
    return lines


def table_rows(name: str, loop: dict[str, Any]) -> list[str]:
    """One loop, a row for each clock."""
    figures = f"| {LOOP_NAMES[name]} | {loop['samples_per_second']:.1f} | {loop['step_ms']:.2f} |"
    if name == "plain":
        return [f"{figures} 1 | | | | |"]
    rows = []
    for clock, ratio in ratios(loop):
        interval = "–" if ratio["low"] is None else f"{ratio['low']:.3f}-{ratio['high']:.3f}"
        rows.append(
            f"{figures} {ratio['median']:.2f} | {interval} | {ratio['least']:.2f}-{ratio['largest']:.2f} | {clock} | "
            f"{ratio['verdict']} |"
        )
        figures = "| | | |"
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
