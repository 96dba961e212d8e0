"""A sweep of seeds as one stack."""

from __future__ import annotations

from typing import Any

NAMES = {
    "one run": "one run",
    "processes": "each in a process of its own, {jobs} at a time",
    "stack": "all as one stack, `--together`",
}

WORTH_IT = 0.8
"""A stack keeps no weights and loses all that is not written when it is cut off: for less than a fifth it is not worth that."""


def section(result: dict[str, Any]) -> str:
    """From seed_sweep.json."""
    parts = [
        f"""## A sweep of seeds

`python benchmarks/seed_sweep.py --out benchmarks/results/seed_sweep.json`: {result["seeds"]} seeds of one configuration by the whole command
`python -m training sweep`, with its start-up, its data and its files, {result["epochs"]} epochs a run, on {result["device"]} ({result["cores"]} cores), torch {result["torch"]}. × one run: of
the seconds on the clock, then of the processor's. A run in a process of its own, and so the one run too, starts a second interpreter;
the stack does not.
"""
    ]
    for case in result["cases"]:
        parts.append(_table(case, result["jobs"]))
    if result["device"] == "cpu":
        parts.append("No GPU figure was taken: `--device cuda` takes it.\n")
    return "\n".join(parts)


def _table(case: dict[str, Any], jobs: int) -> str:
    rows = "\n".join(
        f"| {NAMES[way].format(jobs=jobs)} | {found['runs']} | {found['seconds']:.1f} | {found['processor_seconds']:.1f} | "
        f"{found['samples_per_second']:,.0f} | {found['times_one_run']:.2f} | {found['times_one_run_processor']:.2f} |"
        for way, found in case["ways"].items()
    )
    of_parts = case["ways"]["stack"]["processor_seconds"] / case["ways"]["processes"]["processor_seconds"]
    rounds = "1 round" if case["rounds"] == 1 else f"{case['rounds']} rounds"
    return f"""{case["what"][0].upper()}{case["what"][1:]}, {case["train_samples"]} training samples, {rounds}. R² of a run stacked and alone differ by
{case["largest_r2_difference"]:.1g} at most.

| | runs | seconds | of the processor | samples/s | × one run | of the processor |
|---|--:|--:|--:|--:|--:|--:|
{rows}

The stack takes {of_parts:.2f} × the processor time of the processes.
""" + ("" if of_parts < WORTH_IT else "Such a network is better trained in processes, on this device.\n")
