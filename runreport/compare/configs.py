"""What changed between runs, and which runs are the same experiment with other seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean, stdev

from runreport.analysis.record import Analysis
from runreport.compare.record import SeedGroup

SEED_KEYS = frozenset({"seed", "random_seed", "random_state"})
NAME_KEYS = frozenset({"run_name", "name", "output_dir", "out"})
"""Keys that name a run and cannot change its result."""
FEW_SEEDS = 5
"""Seeds below which no spread over seeds is given: rliable's own minimum (Agarwal et al. 2021)."""


def flat(config: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested settings as dotted keys.

    >>> flat({"a": 1, "data": {"seed": 2}})
    {'a': 1, 'data.seed': 2}
    """
    out: dict[str, object] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[f"{prefix}{key}"] = value
    return out


def config_differences(analyses: Sequence[Analysis]) -> dict[str, dict[str, object]]:
    """Key -> run -> value, for the keys whose value is not the same in every run whose config is known."""
    configs = {a.run.name: flat(a.run.config) for a in analyses if a.run.config}
    keys = dict.fromkeys(k for config in configs.values() for k in config if k not in NAME_KEYS)
    return {
        key: {name: config.get(key) for name, config in configs.items()}
        for key in keys
        if len({_comparable(config.get(key)) for config in configs.values()}) > 1
    }


def seed_groups(analyses: Sequence[Analysis]) -> tuple[SeedGroup, ...]:
    """Groups of two or more runs whose configs are equal but for their seed."""
    groups: dict[str, list[Analysis]] = {}
    for analysis in analyses:
        if analysis.run.config:
            rest = {k: v for k, v in flat(analysis.run.config).items() if k not in SEED_KEYS | NAME_KEYS}
            groups.setdefault(repr(sorted((k, _comparable(v)) for k, v in rest.items())), []).append(analysis)
    return tuple(_seed_group(members) for members in groups.values() if len(members) > 1)


def _seed_group(members: Sequence[Analysis]) -> SeedGroup:
    scores = [(a.run.name, a.final["r2"]) for a in members if a.final is not None and a.final["r2"] is not None]
    values = sorted(v for _, v in scores if v is not None)
    middle: float | None = None
    bounds: tuple[float, float] | None = None
    if len(values) >= FEW_SEEDS:
        cut = len(values) // 4
        kept = values[cut : len(values) - cut]
        middle = fmean(kept)
        # Normal theory on the kept half would be too narrow; the spread of all seeds is the honest one.
        half = NormalDist().inv_cdf(0.975) * stdev(values) / math.sqrt(len(values))
        bounds = (middle - half, middle + half)
    return SeedGroup(
        runs=tuple(a.run.name for a in members), r2=tuple(values), interquartile_mean=middle, interval=bounds
    )


def _comparable(value: object) -> str:
    """Equal settings compare equal: 1 and 1.0, and lists by content."""
    if isinstance(value, bool) or value is None or not isinstance(value, int | float):
        return repr(value)
    return repr(float(value))
