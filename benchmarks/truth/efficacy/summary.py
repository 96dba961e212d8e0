"""What is kept of the tried runs: success by arm with paired intervals, what failed by fault, what was spoilt."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.truth.efficacy.arithmetic import (
    as_good_as_healthy,
    made_worse,
    paired_difference,
    recovered_share,
    succeeded,
)
from benchmarks.truth.efficacy.arms import ADVICE, CONTROLS, DEFAULT, ON_SOUND_RUNS
from benchmarks.truth.efficacy.trial import HARMFUL, SOUND, Excluded, Tried
from benchmarks.truth.score import share

NO_PATCH, NO_CHANGE = "no patch", "said that no change is warranted"


def summary(runs: Sequence[Tried], excluded: Sequence[Excluded], *, quick: bool) -> dict[str, Any]:
    """All figures of one split, and each run's own."""
    harmful = [run for run in runs if run.group == HARMFUL]
    sound = [run for run in runs if run.group == SOUND]
    return {
        "quick": quick,
        "harmful": len(harmful),
        "excluded": _excluded(excluded),
        "arms": {arm: _arm(harmful, arm) for arm in (ADVICE, *CONTROLS)},
        "by_plant": {plant: _plant(harmful, plant) for plant in sorted({run.plant for run in harmful})},
        "sound": {
            "n": len(sound),
            "patches": sum(bool(run.patch) for run in sound),
            "made_worse": {arm: sum(_worse(run, arm) for run in sound) for arm in ON_SOUND_RUNS},
        },
        "runs": [_row(run) for run in runs],
    }


def what_failed(run: Tried) -> str | None:
    """Why the advice on a run with a harmful fault failed: no patch, or the advice that did not help; None where it did."""
    if succeeded(run.before, run.after[ADVICE], run.healthy):
        return None
    if run.patch:
        return f"{run.advice} (settings refused)" if run.refused else run.advice
    return NO_CHANGE if run.said_no_change else f"{NO_PATCH} ({run.advice})"


def without(result: Mapping[str, Any], plant: str) -> dict[str, Any]:
    """Advice beside the default recipe on the harmful runs of a summary that do not have this plant."""
    rows = [row for row in result["runs"] if row["group"] == HARMFUL and row["plant"] != plant]

    def successes(arm: str) -> list[float]:
        return [float(succeeded(_known(r["before"]), _known(r["after"][arm]), _known(r["healthy"]))) for r in rows]

    ours, theirs = successes(ADVICE), successes(DEFAULT)
    difference = paired_difference(ours, theirs)
    return {
        "n": len(rows),
        "advice": _rounded(statistics.fmean(ours) if ours else None),
        "default": _rounded(statistics.fmean(theirs) if theirs else None),
        "difference": None if difference is None else [round(value, 4) for value in difference],
    }


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _arm(runs: Sequence[Tried], arm: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "success": share(sum(_success(run, arm) for run in runs), len(runs)),
        "recovered_mean": _rounded(statistics.fmean(_share(run, arm) for run in runs) if runs else None),
        "recovered_median": _rounded(statistics.median(_share(run, arm) for run in runs) if runs else None),
        "as_good_as_healthy": sum(as_good_as_healthy(run.after[arm], run.healthy, run.seed_sd) for run in runs),
        "made_worse": sum(_worse(run, arm) for run in runs),
    }
    if arm != ADVICE:
        out["advice_minus_this"] = {"success": _paired(runs, arm, _success), "recovered": _paired(runs, arm, _share)}
    return out


def _paired(runs: Sequence[Tried], arm: str, figure: Callable[[Tried, str], float]) -> list[float] | None:
    found = paired_difference([figure(run, ADVICE) for run in runs], [figure(run, arm) for run in runs])
    return None if found is None else [round(value, 4) for value in found]


def _plant(runs: Sequence[Tried], plant: str) -> dict[str, Any]:
    own = [run for run in runs if run.plant == plant]
    failed = Counter(why for run in own if (why := what_failed(run)) is not None)
    return {
        "fault": own[0].fault,
        "n": len(own),
        "advice": sum(_success(run, ADVICE) for run in own),
        "default": sum(_success(run, DEFAULT) for run in own),
        "given": _counts(Counter(run.advice for run in own)),
        "failed": _counts(failed),
    }


def _excluded(items: Sequence[Excluded]) -> list[dict[str, Any]]:
    counts = Counter((item.why, item.plant, item.fault) for item in items)
    return [{"plant": plant, "fault": fault, "n": n, "why": why} for (why, plant, fault), n in sorted(counts.items())]


def _row(run: Tried) -> dict[str, Any]:
    return {
        "name": run.name,
        "group": run.group,
        "plant": run.plant,
        "table": run.table,
        "before": _rounded(run.before),
        "healthy": _rounded(run.healthy),
        "seed_sd": _rounded(run.seed_sd),
        "advice": run.advice,
        "patch": dict(run.patch),
        "after": {arm: _rounded(value) for arm, value in run.after.items()},
    }


def _success(run: Tried, arm: str) -> bool:
    return succeeded(run.before, run.after[arm], run.healthy)


def _share(run: Tried, arm: str) -> float:
    return recovered_share(run.before, run.after[arm], run.healthy)


def _worse(run: Tried, arm: str) -> bool:
    return made_worse(run.before, run.after[arm], run.seed_sd)


def _counts(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)
