"""docs/efficacy.md from the results, so that no figure on the page was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.truth.efficacy.arms import ADVICE, DEFAULT
from benchmarks.truth.efficacy.summary import without

SHIFTED = "split shift"

GOAL = 0.95
"""The goal that was set before anything was run; and above the default recipe, the paired interval above 0."""


def page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    lines = [
        "# Does the advice help",
        "",
        "Written by `python -m benchmarks.truth.efficacy` from `benchmarks/results/efficacy.json`; do not edit. The runs are",
        "the trained ones of [truth.md](truth.md) with one planted fault that is verified harmful. The report is written from",
        "the run's files; the config that `runreport analyze --next` gives is trained on the same data with the same seed.",
        "",
        "- Success: at least half of the gap in R² between the run and its healthy twin is recovered, on the test rows.",
        "- No config to train (the report changes no setting, says that no change is warranted, or the trainer refuses the",
        "  settings) leaves the run as it was: that is a failure of the advice, and no run is left out for it.",
        "- The advice sees the run's files only. What was planted decides which runs are tried, and nothing else.",
        "- Default recipe: AdamW at 1e-3 with decay 0.01, batches of 32, squared error on a standardised target, no penalty,",
        "  5 % warm-up, cosine to 0, best validation R², patience 20; with as many epochs as the advised run may use.",
        "- Random advice: one of the patches that the report could hold for this run, had it found something else, drawn",
        "  evenly. Another seed: the same config. The source's advice: a penalty of λ = 2 or 5, no epoch below a std ratio of",
        "  0.4, or R² + 2(α - 0.7) as monitor.",
        "- Advice was worked on with the dev runs only; test runs are other tables and seeds.",
        "- Intervals of differences are 95 %, bootstrapped over runs, each run's arms together; runs of one table and split",
        "  share their rows, which the bootstrap does not know. Recovered shares are cut to [-1, 1].",
        "",
    ]
    for split in ("test", "dev"):
        if split in results:
            lines += _split(split, results[split])
    return "\n".join(lines).rstrip() + "\n"


def _split(split: str, result: Mapping[str, Any]) -> list[str]:
    return [
        f"## {split.capitalize()} runs",
        "",
        f"{result['harmful']} runs with one harmful fault that settings can mend.",
        "",
        *_arms(result["arms"]),
        *_without(without(result, SHIFTED)),
        *_plants(result["by_plant"]),
        *_excluded(result["excluded"]),
        *_sound(result["sound"]),
    ]


def _arms(arms: Mapping[str, Any]) -> list[str]:
    lines = [
        "| trained in its place | success | mean share recovered | as good as the twin | made worse | advice - this: success "
        "| advice - this: share |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for arm, got in arms.items():
        less = got.get("advice_minus_this")
        lines.append(
            f"| {arm} | {_share(got['success'])} | {_number(got['recovered_mean'])} | {got['as_good_as_healthy']} "
            f"| {got['made_worse']} | {_difference(less and less['success'])} | {_difference(less and less['recovered'])} |"
        )
    return [
        *lines,
        f"| *goal, advice* | ≥ {GOAL} | | | | above 0 (default recipe) | |",
        "",
        "As good as the twin: within two standard deviations between seeds of its R². Made worse: R² below the run's own by",
        "more than that.",
        "",
    ]


def _without(got: Mapping[str, Any]) -> list[str]:
    return [
        f"The default recipe has nothing against a {SHIFTED}, which a line fitted on validation takes out. Without those runs "
        f"({got['n']} are left): advice {_number(got['advice'])}, default recipe {_number(got['default'])}, difference "
        f"{_difference(got['difference'])}.",
        "",
    ]


def _plants(plants: Mapping[str, Any]) -> list[str]:
    lines = [
        "### By fault",
        "",
        f"| planted | fault | runs | {ADVICE} | {DEFAULT} | first advice given | what failed |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    for name, got in plants.items():
        lines.append(
            f"| {name} | {got['fault']} | {got['n']} | {got['advice']} | {got['default']} "
            f"| {_counted(got['given'])} | {_counted(got['failed'])} |"
        )
    return [*lines, ""]


def _excluded(items: list[Mapping[str, Any]]) -> list[str]:
    total = sum(item["n"] for item in items)
    lines = [
        "### Not tried",
        "",
        f"{total} runs with one harmful fault that no setting of theirs mends.",
        "",
        "| planted | fault | runs | why |",
        "|---|---|--:|---|",
    ]
    return [*lines, *(f"| {i['plant']} | {i['fault']} | {i['n']} | {i['why']} |" for i in items), ""]


def _sound(sound: Mapping[str, Any]) -> list[str]:
    worse = ", ".join(f"{arm} {count}" for arm, count in sound["made_worse"].items())
    return [
        "### Runs with nothing harmful in them",
        "",
        f"Of {sound['n']} healthy, signal-limited or harmlessly planted runs {sound['patches']} are advised to change a "
        "setting.",
        f"Made worse by more than two standard deviations between seeds: {worse}.",
        "",
    ]


def readme_rows(results: Mapping[str, Any]) -> list[str]:
    """The arms in a few rows, for the README: the test split where it was run, else the dev split."""
    split = "test" if "test" in results else "dev"
    result = results[split]
    lines = [
        f"| {result['harmful']} {split} runs trained again | half of the gap recovered | advice - this |",
        "|---|--:|--:|",
    ]
    for arm, got in result["arms"].items():
        less = got.get("advice_minus_this")
        lines.append(f"| {arm} | {_number(got['success']['share'])} | {_difference(less and less['success'])} |")
    return [*lines, f"| *goal* | ≥ {GOAL:.2f} | above 0 (default recipe) |"]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _difference(value: list[float] | None) -> str:
    return "" if value is None else f"{value[0]:+.2f} ({value[1]:+.2f} to {value[2]:+.2f})"


def _share(value: Mapping[str, Any]) -> str:
    if value["share"] is None:
        return "-"
    low, high = value["interval"]
    return f"{value['share']:.2f} ({low:.2f}-{high:.2f})"
