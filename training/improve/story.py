"""The whole story as one page: every round, what was changed, what should have come of it and what did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from training.improve.loop import Round, Story

COLUMNS = (("r2", "R²"), ("pearson_r", "r"), ("variance_ratio", "α"), ("bias", "β"))


def story_page(story: Story) -> str:
    """Markdown; every figure is one of the rounds' reports or of the paired comparison between two of them."""
    first, last = story.rounds[0], story.last_kept
    lines = [f"# {_title(first, last)}", "", *_summary(story), "", "## The rounds", "", *_table(story.rounds), ""]
    for made in story.rounds:
        lines += [f"## {_heading(made)}", "", *_told(made), ""]
    lines += ["## Why it ended", "", f"{_sentence(story.ended_because)}", ""]
    lines += ["## What this does not show", "", *(f"- {line}" for line in _limits(story)), ""]
    return "\n".join(lines)


def _title(first: Round, last: Round) -> str:
    name = first.config.run_name.removesuffix("_round1")
    if last.number == first.number:
        return f"{name}: no change was kept"
    return f"{name}: test R² went from {_number(first, 'r2', 2)} to {_number(last, 'r2', 2)} over {last.number} rounds"


def _summary(story: Story) -> list[str]:
    kept = [r for r in story.rounds[1:] if r.kept]
    undone = [r for r in story.rounds if not r.kept]
    steps = "; ".join(f"{_patch(r)} (round {r.number})" for r in kept) or "none"
    lines = [f"Changes that were kept: {steps}."]
    if undone:
        lines.append(
            "Changes that were undone, because the next run showed what the advice had named as refuting it: "
            + "; ".join(f"{_patch(r)} (round {r.number})" for r in undone)
            + "."
        )
    return lines


def _table(rounds: Sequence[Round]) -> list[str]:
    head = (
        "| round | changed from | change | " + " | ".join(label for _, label in COLUMNS) + " | ΔR² on the same rows | |"
    )
    rule = "|---|---|---|" + "---:|" * len(COLUMNS) + "---|---|"
    rows = []
    for r in rounds:
        figures = " | ".join(_number(r, metric, 2) for metric, _ in COLUMNS)
        origin = "-" if r.made_from is None else f"round {r.made_from}"
        verdict = "start" if r.advice is None else ("kept" if r.kept else "undone")
        rows.append(f"| {r.number} | {origin} | {_patch(r)} | {figures} | {_difference(r)} | {verdict} |")
    return [head, rule, *rows]


def _heading(r: Round) -> str:
    return f"Round {r.number}: {'as configured' if r.advice is None else str(r.advice['title'])}"


def _told(r: Round) -> list[str]:
    report = f"[The report of this round]({r.config.run_name}.md)."
    if r.advice is None:
        return [f"Test R² is {_with_interval(r, 'r2')}, r {_with_interval(r, 'pearson_r')}. {report}"]
    because = (
        ", ".join(f"`{rule}`" for rule in r.advice["because"]) or "the figures themselves, no rule having found a fault"
    )
    lines = [
        f"The report of round {r.made_from} advised it because of {because}. It set {_patch(r)}.",
        f"It acts on {_part(r.advice['acts_on'])}. It would be refuted if {r.advice['refuted_if']}.",
        f"Test R² is {_with_interval(r, 'r2')}, r {_with_interval(r, 'pearson_r')}.",
    ]
    if not r.kept:
        lines.append(f"That is what happened: {'; '.join(r.refuted)}. The change was undone.")
    elif not r.judged:
        lines.append("Whether it is refuted could not be computed from this run; the change was kept unjudged.")
    else:
        lines.append("Of this, what can be computed from the run did not happen; the change was kept.")
    bounds = (r.difference or {}).get("interval")
    if bounds is not None and bounds[0] > 0 and r.kept:
        lines.append(
            f"The difference in R² to round {r.made_from} on the same test rows, {_difference(r)}, is larger than its noise."
        )
    if bounds is not None and bounds[0] <= 0 <= bounds[1]:
        lines.append(
            f"The difference in R² to round {r.made_from}, {_difference(r)}, cannot be told from none on these test rows."
        )
    return [*lines, report]


def _limits(story: Story) -> Iterable[str]:
    n = story.rounds[0].reading.run.get("n")
    count = len(story.rounds)
    yield (
        f"All {count} rounds were judged on the same {n} test rows, so the last R² is no longer a held-out figure: "
        "evaluate the kept configuration once on rows that no round has seen."
    )
    yield "Each round is one training run of one seed: how much another seed would have changed was not measured."
    unjudged = [str(r.number) for r in story.rounds if r.advice is not None and not r.judged]
    if unjudged:
        yield f"What would have refuted the change of round {', '.join(unjudged)} was not in that run's figures."


def _number(r: Round, metric: str, digits: int) -> str:
    value = r.reading.value(metric)
    return "-" if value is None else f"{value:.{digits}f}"


def _with_interval(r: Round, metric: str) -> str:
    bounds = r.reading.interval(metric)
    return _number(r, metric, 3) + (f" [{bounds[0]:.2f}, {bounds[1]:.2f}]" if bounds is not None else "")


def _difference(r: Round) -> str:
    if r.difference is None:
        return "-"
    bounds: Any = r.difference.get("interval")
    if bounds is None:
        return f"{r.difference['difference']:+.2f}"
    # Three digits where two would show an end as 0.00: on which side of 0 it lies is what is read off it.
    digits = 2 if all(abs(bound) >= 0.005 for bound in bounds) else 3
    return f"{r.difference['difference']:+.{digits}f} [{bounds[0]:.{digits}f}, {bounds[1]:.{digits}f}]"


def _patch(r: Round) -> str:
    if r.advice is None:
        return "-"
    return ", ".join(f"`{key}: {_value(value)}`" for key, value in r.advice["config_patch"].items())


def _value(value: object) -> str:
    return (
        json.dumps(value)
        if isinstance(value, bool) or value is None
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _part(part: str | None) -> str:
    names = {"r": "r, the information in the predictions", "alpha": "α, their spread", "beta": "β, their mean"}
    return names.get(str(part), "what is known of the run, not the model")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
