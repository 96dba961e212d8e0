"""What changed between runs, and which runs are the same experiment with other seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist, fmean, stdev

from runreport.analysis.record import Analysis
from runreport.compare.record import SeedGroup

SEED_KEYS = frozenset({"seed", "random_seed", "random_state"})
DATA_PARTS = frozenset({"data", "dataset", "split", "splits"})
"""Sections of a config whose seed draws other data: a setting of its own, not another training run of the same one."""
NAME_KEYS = frozenset({"run_name", "name", "run_id", "output_dir", "out", "log_dir"})
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


def is_seed(key: str) -> bool:
    """Whether a flat key is the seed of a training run; the seed of the data is not.

    >>> is_seed("seed"), is_seed("trainer.seed"), is_seed("data.seed"), is_seed("seed_length")
    (True, True, False, False)
    """
    *parts, last = key.split(".")
    return last in SEED_KEYS and not DATA_PARTS & set(parts)


def is_name(key: str) -> bool:
    """Whether a flat key only names the run or its files.

    >>> is_name("run_name"), is_name("logging.output_dir"), is_name("model.name")
    (True, True, False)
    """
    # `name` within a section is a choice (optimizer.name), `run_name` and `output_dir` never are.
    return key in NAME_KEYS or key.split(".")[-1] in NAME_KEYS - {"name", "out"}


def config_differences(analyses: Sequence[Analysis]) -> dict[str, dict[str, object]]:
    """Key -> run -> value, for the keys that have two or more values in the configs that give them.

    A run whose config does not hold a key has no entry there: that is not known, and no difference.
    """
    configs = {a.run.name: flat(a.run.config) for a in analyses if a.run.config}
    keys = dict.fromkeys(k for config in configs.values() for k in config if not is_name(k))
    found = {key: {name: config[key] for name, config in configs.items() if key in config} for key in keys}
    return {key: by_run for key, by_run in found.items() if len({comparable(v) for v in by_run.values()}) > 1}


def seed_groups(analyses: Sequence[Analysis]) -> tuple[SeedGroup, ...]:
    """Groups of two or more runs whose configs are equal but for their seed."""
    groups: dict[str, list[Analysis]] = {}
    for analysis in analyses:
        if analysis.run.config:
            rest = {k: v for k, v in flat(analysis.run.config).items() if not is_seed(k) and not is_name(k)}
            groups.setdefault(repr(sorted((k, comparable(v)) for k, v in rest.items())), []).append(analysis)
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


def comparable(value: object) -> str:
    """Text that is the same for equal settings: 1 and 1.0, and lists by content.

    >>> comparable(1) == comparable(1.0), comparable(1) == comparable(True), comparable(0.1)
    (True, False, '0.1')
    """
    if isinstance(value, bool) or value is None or not isinstance(value, int | float):
        return repr(value)
    return repr(float(value))
