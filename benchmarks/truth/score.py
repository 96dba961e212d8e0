"""Scores of the outcomes: pure functions of what was planted and what was said."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks.truth.diagnose import INTERVALS, predicted_one, predicted_two
from benchmarks.truth.outcome import Outcome, onset_error
from benchmarks.truth.taxonomy import NONE, Fault

OURS = "runreport"
SOUND = ("healthy", "limited")
WRONG_PICK_RULE = "selection.wrong-pick"
Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal."""


def wilson(hits: int, n: int) -> tuple[float, float] | None:
    """The 95 % Wilson score interval of a share; None of nothing.

    >>> [round(x, 3) for x in wilson(0, 90)]
    [0.0, 0.041]
    """
    if n == 0:
        return None
    share, z2 = hits / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def f1_of_classes(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Class -> F1 over (truth, predicted), for every class that occurs as truth.

    >>> f1_of_classes([("a", "a"), ("a", "b"), ("b", "b")])
    {'a': 0.6666666666666666, 'b': 0.6666666666666666}
    """
    out = {}
    for name in sorted({truth for truth, _ in pairs}):
        both = sum(t == name == p for t, p in pairs)
        total = sum(t == name for t, _ in pairs) + sum(p == name for _, p in pairs)
        out[name] = 2 * both / total
    return out


def set_f1(wanted: set[str], said: set[str]) -> float:
    """2 |both| / (|wanted| + |said|).

    >>> set_f1({"a", "b"}, {"a"})
    0.6666666666666666
    """
    return 2 * len(wanted & said) / (len(wanted) + len(said)) if wanted or said else 1.0


def single_pairs(items: Sequence[Outcome], tool: str, *, lenient: bool = False) -> list[tuple[str, str]]:
    """(truth, predicted) of every run with one fault or none; a harmless plant that is named counts as no fault named.

    ``lenient``: so does a fault that nobody planted and that is as harmful.
    """
    pairs = []
    for item in items:
        if item.kind == "double" or tool not in item.said:
            continue
        passed = (*item.harmless, *item.incidental) if lenient else item.harmless
        said = predicted_one(item.said[tool], (*item.labels, *passed), any_message=tool != OURS)
        pairs.append((item.labels[0], NONE if said in passed else said))
    return pairs


def scores(items: Sequence[Outcome], tool: str) -> dict[str, Any]:
    """Every score of one tool; the ones that need intervals or a selection audit for runreport only."""
    pairs = single_pairs(items, tool)
    by_class = f1_of_classes(pairs)
    leniently = f1_of_classes(single_pairs(items, tool, lenient=True))
    doubles = [i for i in items if i.kind == "double" and tool in i.said]
    sets = [set_f1(set(i.labels), predicted_two(i.said[tool], i.labels, any_message=tool != OURS)) for i in doubles]
    sound = [i for i in items if i.kind in SOUND and tool in i.said]
    alarmed = [i for i in sound if i.said[tool].critical]
    out: dict[str, Any] = {
        "single": {
            "macro_f1": _rounded(statistics.fmean(by_class.values()) if by_class else None),
            "macro_f1_lenient": _rounded(statistics.fmean(leniently.values()) if leniently else None),
            "accuracy": _rounded(statistics.fmean(t == p for t, p in pairs) if pairs else None),
            "n": len(pairs),
            "by_class": {name: _rounded(value) for name, value in by_class.items()},
        },
        "double": {"set_f1": _rounded(statistics.fmean(sets) if sets else None), "n": len(sets)},
        "false_critical": share(len(alarmed), len(sound))
        | {"rules": _counts(r for i in alarmed for r in i.said[tool].critical)},
        "false_critical_where_verified": share(
            sum(not i.incidental for i in alarmed), sum(not i.incidental for i in sound)
        ),
        "unreadable": sum(i.said[tool].error is not None for i in items if tool in i.said),
    }
    if tool == OURS:
        out |= {
            "coverage": {name: coverage(items, name) for name in INTERVALS},
            "coverage_of_dependent_rows": {
                name: coverage([i for i in items if i.traits.get("dependent")], name) for name in INTERVALS
            },
            "abstention": abstention(items),
            "onset": onset(items),
            "wrong_pick": wrong_pick(items),
            "confusion": confusion(pairs),
            "by_plant": by_plant(items),
        }
    return out


def share(hits: int, n: int) -> dict[str, Any]:
    """A share with its Wilson interval."""
    bounds = wilson(hits, n)
    interval = [_rounded(b) for b in bounds] if bounds else None
    return {"share": _rounded(hits / n) if n else None, "n": n, "interval": interval}


def coverage(items: Sequence[Outcome], metric: str) -> dict[str, Any]:
    """How often the 95 % interval holds the population's value."""
    held = [
        bounds[metric][0] <= item.population[metric] <= bounds[metric][1]
        for item in items
        if metric in item.population and (bounds := item.said[OURS].intervals) and metric in bounds
    ]
    return share(sum(held), len(held))


def abstention(items: Sequence[Outcome]) -> dict[str, Any]:
    """On runs without signal and no other fault: led by "no signal" or by nothing, and nothing critical."""
    runs = [i for i in items if i.labels == (Fault.NO_SIGNAL.value,)]
    right = [
        i for i in runs if not i.said[OURS].critical and predicted_one(i.said[OURS], i.accepted) in (*i.labels, NONE)
    ]
    return share(len(right), len(runs))


def onset(items: Sequence[Outcome]) -> dict[str, Any]:
    """Of the runs whose fault began in mid-run: how many were told an epoch, and how far off in the median."""
    dated = [i for i in items if i.onset is not None and i.labels != (NONE,)]
    errors = [e for i in dated if (e := onset_error(i, i.said[OURS])) is not None]
    return {"n": len(dated), "told": len(errors), "median_error_epochs": statistics.median(errors) if errors else None}


def wrong_pick(items: Sequence[Outcome]) -> dict[str, Any]:
    """Precision and recall of "a better epoch was left behind", against the population's R² of every epoch."""
    known = [i for i in items if i.harmful_pick is not None and i.traits.get("epochs_kept")]
    fired = [i for i in known if WRONG_PICK_RULE in i.said[OURS].rules]
    harmful = [i for i in known if i.harmful_pick]
    return {
        "precision": share(sum(bool(i.harmful_pick) for i in fired), len(fired)),
        "recall": share(sum(WRONG_PICK_RULE in i.said[OURS].rules for i in harmful), len(harmful)),
    }


def confusion(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Truth -> what was said -> how often, most frequent first."""
    return {name: _counts(p for t, p in pairs if t == name) for name in sorted({t for t, _ in pairs})}


def by_plant(items: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Plant -> runs with it alone, how many were named right, and the rules that led."""
    out: dict[str, dict[str, Any]] = {}
    for plant in sorted({i.plants[0] for i in items if i.kind == "single"}):
        runs = [i for i in items if i.kind == "single" and i.plants == (plant,)]
        right = sum(predicted_one(i.said[OURS], i.accepted) == i.labels[0] for i in runs)
        anywhere = sum(any(i.labels[0] in m for m in i.said[OURS].named) for i in runs)
        leads = _counts(i.said[OURS].lead or NONE for i in runs)
        out[plant] = {
            "fault": runs[0].labels[0],
            "n": len(runs),
            "right": right,
            "named_anywhere": anywhere,
            "leads": leads,
        }
    return out


def _counts(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
