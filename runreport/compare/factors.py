"""Which settings a set of runs varies: the factors of a sweep, found from the configs alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from runreport.analysis.record import Analysis
from runreport.compare.configs import comparable, flat, is_name, is_seed
from runreport.compare.design import Design, Factor, Level, Place
from runreport.wording import listing, setting

MOST_LABEL_KEYS = 2
"""Settings of a joint factor written into its levels' names; with more, a level is named by its first run."""
OFF_WORDS = frozenset({"", "none", "off", "no", "false", "null", "disabled"})
"""What configurations write for a setting of words that is not used."""

Configs = Mapping[str, Mapping[str, object]]


def find_design(analyses: Sequence[Analysis]) -> Design | str:
    """The design that these runs form, or why they form none.

    A design needs a setting with two or more values and, of some combination of settings, two or more runs that differ
    in their seed: without those, an effect cannot be told from the chance of one training run.
    """
    configs = {a.run.name: flat(a.run.config) for a in analyses if a.run.config}
    left_out = {a.run.name: "config not known" for a in analyses if not a.run.config}
    keys, ignored = _candidates(configs)
    for name in list(configs):
        missing = [key for key in keys if key not in configs[name]]
        if missing:
            left_out[name] = f"config without {listing(missing, most=3)}"
            del configs[name]
    keys = [key for key in keys if len(_values(configs, key)) > 1]
    if not keys:
        unrepeated = [key for key, why in ignored.items() if why == UNREPEATED]
        if unrepeated:
            return f"each value of {listing(unrepeated, most=3)} was run once, so there is no noise over seeds"
        return "their known settings do not differ"
    replicates = {name: _replicate(config) for name, config in configs.items()}
    groups = _separable(_merged(keys, configs), configs)
    codes = [_codes(group, configs) for group in groups]
    places = {name: Place(levels=tuple(code[name] for code in codes), replicate=replicates[name]) for name in configs}
    if not _replicated(places):
        return "no two runs share all settings and differ in their seed, so there is no noise over seeds"
    split = common_split(analyses)
    with_r2 = {
        a.run.name for a in analyses if a.final is not None and a.final["r2"] is not None and a.final.split == split
    }
    return Design(
        split=split,
        factors=tuple(_factor(i, group, configs, places, with_r2) for i, group in enumerate(groups)),
        places=places,
        left_out=left_out,
        ignored=ignored,
    )


def common_split(analyses: Sequence[Analysis]) -> str | None:
    """The split that most runs have figures of. A run that failed before its test leaves a row of its validation log:
    another quantity, which no mean over test figures may hold."""
    counts = Counter(a.final.split for a in analyses if a.final is not None and a.final["r2"] is not None)
    return counts.most_common(1)[0][0] if counts else None


UNREPEATED = "it has another value in every run"


def _candidates(configs: Configs) -> tuple[list[str], dict[str, str]]:
    """Keys that may be factors, and those that differ but are none, with the reason."""
    keys = dict.fromkeys(k for config in configs.values() for k in config if not is_name(k) and not is_seed(k))
    seeds = {name: _replicate(config) for name, config in configs.items()}
    kept: list[str] = []
    ignored: dict[str, str] = {}
    for key in keys:
        found = {name: comparable(config[key]) for name, config in configs.items() if key in config}
        distinct = set(found.values())
        if len(distinct) < 2:
            continue
        pairs = {(seeds[name], value) for name, value in found.items()}
        named = {seed for seed, _ in pairs}
        if len(distinct) == len(found):
            ignored[key] = UNREPEATED
        elif None not in named and len(pairs) == len(named) == len(distinct):
            ignored[key] = "it has another value for each seed, so its effect cannot be separated from the seed's"
        elif 2 * len(found) < len(configs):
            ignored[key] = f"it is known of {len(found)} of {len(configs)} runs only"
        else:
            kept.append(key)
    return kept, ignored


def _replicate(config: Mapping[str, object]) -> str | None:
    """The training seed (or seeds) of a run as text; None where its config gives none."""
    found = [f"{k}={comparable(v)}" for k, v in sorted(config.items()) if is_seed(k) and v is not None]
    return ", ".join(found) or None


def _values(configs: Configs, key: str) -> dict[str, object]:
    """The distinct values of a key, in the order in which runs bring them."""
    out: dict[str, object] = {}
    for config in configs.values():
        out.setdefault(comparable(config[key]), config[key])
    return out


def _merged(keys: Sequence[str], configs: Configs) -> list[list[str]]:
    """Keys in groups that only vary together: a key whose value follows from another's cannot be told from it."""
    groups = [[key] for key in keys]
    for a, b in combinations(keys, 2):
        pairs = {(comparable(config[a]), comparable(config[b])) for config in configs.values()}
        if len(pairs) in (len(_values(configs, a)), len(_values(configs, b))):
            first = next(g for g in groups if a in g)
            second = next(g for g in groups if b in g)
            if first is not second:
                first += second
                groups.remove(second)
    return groups


def _separable(groups: list[list[str]], configs: Configs) -> list[list[str]]:
    """The groups, those joined into one of which no two levels occur with all the others held fixed."""
    if len(groups) < 2:
        return groups
    codes = [_codes(group, configs) for group in groups]
    stuck = []
    for i, group in enumerate(groups):
        seen: dict[tuple[int, ...], set[int]] = {}
        for name in configs:
            rest = tuple(code[name] for j, code in enumerate(codes) if j != i)
            seen.setdefault(rest, set()).add(codes[i][name])
        if all(len(levels) < 2 for levels in seen.values()):
            stuck.append(group)
    if len(stuck) < 2:
        return groups
    joined = [key for group in stuck for key in group]
    return [joined if group is stuck[0] else group for group in groups if group not in stuck[1:]]


def _ordered(keys: Sequence[str], configs: Configs) -> tuple[list[str], bool]:
    """The keys, the one with the most values first, and whether that one alone orders the levels as numbers."""
    main = max(keys, key=lambda key: len(_values(configs, key)))
    ordered = [main, *(key for key in keys if key != main)]
    joint = {tuple(comparable(config[key]) for key in ordered) for config in configs.values()}
    values = _values(configs, main).values()
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return ordered, numbers and len(joint) == len(values)


def _levels(keys: Sequence[str], configs: Configs) -> list[tuple[str, ...]]:
    """The distinct values of a group of keys: numbers ascending, else what is unset or off first, then as runs bring them."""
    ordered, numeric = _ordered(keys, configs)
    main = ordered[0]
    first: dict[tuple[str, ...], object] = {}
    for config in configs.values():
        first.setdefault(tuple(comparable(config[key]) for key in ordered), config[main])
    if numeric:
        return sorted(first, key=lambda level: float(level[0]))
    return sorted(first, key=lambda level: not _is_off(first[level]))


def _is_off(value: object) -> bool:
    """Whether a setting's value says that it is not used: what the others are then compared with.

    >>> [_is_off(value) for value in (None, False, "none", "Off", "masked", True)]
    [True, True, True, True, False, False]
    """
    return value is None or value is False or (isinstance(value, str) and value.strip().lower() in OFF_WORDS)


def _codes(keys: Sequence[str], configs: Configs) -> dict[str, int]:
    """Run -> position of its level."""
    ordered, _ = _ordered(keys, configs)
    position = {level: i for i, level in enumerate(_levels(keys, configs))}
    return {name: position[tuple(comparable(config[key]) for key in ordered)] for name, config in configs.items()}


def _replicated(places: Mapping[str, Place]) -> bool:
    """Whether some combination of levels has two runs that differ in seed (or whose seeds are not known)."""
    seen: dict[tuple[int, ...], list[str | None]] = {}
    for place in places.values():
        seen.setdefault(place.levels, []).append(place.replicate)
    return any(len(set(found)) > 1 or found.count(None) > 1 for found in seen.values())


def _factor(
    index: int, keys: Sequence[str], configs: Configs, places: Mapping[str, Place], with_r2: set[str]
) -> Factor:
    ordered, numeric = _ordered(keys, configs)
    levels = []
    for i in range(len(_levels(keys, configs))):
        runs = tuple(name for name, place in places.items() if place.levels[index] == i)
        values = tuple(configs[runs[0]][key] for key in ordered)
        known = {places[name].replicate for name in runs} - {None}
        levels.append(
            Level(
                label=_label(ordered, values, numeric, runs[0]),
                value=values[0] if len(values) == 1 else values,
                runs=runs,
                seeds=len(known),
                without_r2=tuple(name for name in runs if name not in with_r2),
            )
        )
    return Factor(keys=tuple(ordered), levels=tuple(levels), numeric=numeric, balanced=_balanced(index, places))


def _label(keys: Sequence[str], values: Sequence[object], numeric: bool, run: str) -> str:
    if len(keys) == 1 or numeric:
        return setting(values[0])
    if len(keys) <= MOST_LABEL_KEYS:
        return ", ".join(f"{key} = {setting(value)}" for key, value in zip(keys, values, strict=True))
    return f"as in {run}"


def _balanced(index: int, places: Mapping[str, Place]) -> bool:
    """Whether each combination of the other factors has the same seeds, each once, at every level of this one."""
    count = 1 + max(place.levels[index] for place in places.values())
    seen: dict[tuple[int, ...], dict[int, list[str]]] = {}
    for place in places.values():
        rest = place.levels[:index] + place.levels[index + 1 :]
        seen.setdefault(rest, {}).setdefault(place.levels[index], []).append(str(place.replicate))
    return all(
        len(by_level) == count and len({tuple(sorted(seeds)) for seeds in by_level.values()}) == 1
        for by_level in seen.values()
    ) and all(place.replicate is not None for place in places.values())
