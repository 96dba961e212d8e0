"""A sweep file → every run of it, checked before the first one is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runreport.artifacts import is_run_name
from training.config import Config, all_settings
from training.config_file import LISTED, OPTION, PRESETS, load_config, parse_config, preset_names, read_yaml
from training.errors import ConfigError
from training.suggest import nearest
from training.sweep.keys import flat, nested, run_name

SWEEP_PRESETS = PRESETS / "sweeps"
SWEEP_KEYS = ("name", "base", "set", "grid", "cases", "seeds", "epoch_predictions")
OWN_KEYS = ("run_name", "seed")
"""What a sweep sets itself."""
THREADS = 1
"""Threads of a run unless ``set`` says otherwise: runs go side by side, and one thread each is the best use of the cores."""
MOST_RUNS = 10_000
"""More is a slip of the grid, not a plan."""
LONGEST_NAME = 200
"""Bytes of a run's name: file systems allow 255, and ``epoch_predictions_`` and ``.parquet`` go around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """One run of a sweep: ``case`` and ``point`` (the grid's settings by dotted key) say where it stands in the design."""

    config: Config
    case: str | None
    point: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.config.run_name

    @property
    def label(self) -> str:
        """Where the run stands, but for its seed; empty where seeds are all that varies."""
        parts = [self.case] if self.case is not None else []
        return ", ".join(
            [*parts, *(f"{key} {'null' if value is None else value}" for key, value in self.point.items())]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A sweep: its runs in the order in which they begin, seeds outermost, so that what a cut-off sweep leaves is balanced."""

    name: str
    runs: tuple[PlannedRun, ...]
    epoch_predictions: bool


def sweep_names() -> tuple[str, ...]:
    """Names of the sweeps that come with the package, sorted."""
    return tuple(sorted(path.stem for path in SWEEP_PRESETS.glob("*.yaml")))


def find_sweep(name: str) -> Path:
    """The file that ``name`` means: a path to a YAML file, or the name of a sweep that comes with the package."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        raise ConfigError(f"{name}: no such file")
    if name in sweep_names():
        return SWEEP_PRESETS / f"{name}.yaml"
    hint = f"; it is a configuration: python -m training run {name}" if name in preset_names() else ""
    raise ConfigError(f"{name}: neither a .yaml file nor one of the sweeps {', '.join(sweep_names())}{hint}")


def load_plan(name: str, overrides: Iterable[str] = (), *, device: str | None = None) -> Plan:
    """The runs of a sweep file, with ``key=value`` overrides of what its ``set`` sets. ConfigError in one line."""
    path = find_sweep(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    values = read_yaml(text, str(path))
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, such as 'base: healthy'")
    fixed = dict(_override(override) for override in overrides)
    if device is not None:
        fixed["device"] = device
    return make_plan({"name": path.stem, **values}, where=name, fixed=fixed, folder=path.parent)


def make_plan(
    values: Mapping[str, Any], *, where: str, fixed: Mapping[str, Any] | None = None, folder: Path = Path()
) -> Plan:
    """The runs of a sweep as plain values; ``fixed`` goes over ``set``; a base file is looked for in ``folder``."""
    for key in values:
        if key not in SWEEP_KEYS:
            raise ConfigError(f"{where}: unknown key '{key}'{nearest(str(key), SWEEP_KEYS)}")
    name = values.get("name")
    if not isinstance(name, str) or not is_run_name(name):
        raise ConfigError(f"{where}: name: found {name!r}; expected letters, digits and . _ + -, to name files with")
    epoch_predictions = values.get("epoch_predictions", False)
    if not isinstance(epoch_predictions, bool):
        raise ConfigError(f"{where}: epoch_predictions: found {epoch_predictions!r}; expected true or false")
    base = flat(_base(values.get("base"), where, folder).to_dict()) | {"threads": THREADS}
    common = _settings(values.get("set", {}), f"{where}: set")
    grid = _grid(values.get("grid", {}), where)
    cases = _cases(values.get("cases", {}), where)
    seeds = _seeds(values.get("seeds"), where)
    _check_disjoint(fixed or {}, grid, cases, where)
    count = len(cases) * len(seeds)
    for levels in grid.values():
        count *= len(levels)
    if count > MOST_RUNS:
        raise ConfigError(f"{where}: found {count} runs; expected at most {MOST_RUNS}")
    runs = []
    for seed, (case, changes) in itertools.product(seeds, cases.items()):
        for values_of_grid in itertools.product(*grid.values()):
            point = dict(zip(grid, values_of_grid, strict=True))
            own = {"run_name": run_name(name, case, point, seed), "seed": seed}
            values_of_run = nested({**base, **common, **(fixed or {}), **changes, **point, **own})
            config = parse_config(values_of_run, where=where, given=fixed or ())
            runs.append(PlannedRun(config=config, case=case, point=point))
    _check_names(runs, where)
    return Plan(name=name, runs=tuple(runs), epoch_predictions=epoch_predictions)


def _base(base: Any, where: str, folder: Path) -> Config:
    """What every run starts from: a preset, or a file beside the sweep's."""
    if not isinstance(base, str):
        raise ConfigError(f"{where}: base: found {base!r}; expected a preset or a .yaml file, such as 'base: healthy'")
    beside = folder / base
    return load_config(str(beside) if beside.suffix in (".yaml", ".yml") else base)


def _override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{OPTION} {override}: expected key=value")
    _check_key(key.strip(), OPTION)
    return key.strip(), read_yaml(text, f"{OPTION} {key}")


def _check_key(key: str, where: str) -> None:
    if key in OWN_KEYS:
        raise ConfigError(f"{where}: {key} is the sweep's own to set: see 'seeds' and 'name'")
    known = all_settings()
    if key not in known:
        raise ConfigError(f"{where}: unknown key '{key}'{nearest(key, known, listed_in=LISTED)}")


def _settings(values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: found {values!r}; expected settings and values, such as 'max_epochs: 20'")
    settings = flat({str(key): value for key, value in values.items()})
    for key in settings:
        _check_key(key, where)
    return settings


def _grid(values: Any, where: str) -> dict[str, list[Any]]:
    grid = _settings(values, f"{where}: grid")
    for key, levels in grid.items():
        if not isinstance(levels, list) or not levels:
            raise ConfigError(f"{where}: grid: {key}: found {levels!r}; expected a list of values, such as [0, 1]")
    return grid


def _cases(values: Any, where: str) -> dict[str | None, dict[str, Any]]:
    """Named sets of settings; where there are none, one without a name."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: cases: found {values!r}; expected a name for each set of settings")
    for name in values:
        if not isinstance(name, str) or not is_run_name(name):
            raise ConfigError(f"{where}: cases: found the name {name!r}; expected letters, digits and . _ + -")
    found: dict[str | None, dict[str, Any]] = {
        name: _settings(changes if changes is not None else {}, f"{where}: cases: {name}")
        for name, changes in values.items()
    }
    return found or {None: {}}


def _seeds(values: Any, where: str) -> list[int]:
    whole = isinstance(values, list) and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in values)
    if not whole or not values:
        raise ConfigError(
            f"{where}: seeds: found {values!r}; expected a list of whole numbers, such as [1, 2, 3, 4, 5]"
        )
    if len(set(values)) < len(values):
        raise ConfigError(f"{where}: seeds: found one twice in {values}; a seed twice is one run, not two")
    return list(values)


def _check_disjoint(
    fixed: Mapping[str, Any], grid: Mapping[str, Any], cases: Mapping[str | None, Mapping[str, Any]], where: str
) -> None:
    """A setting has one place that decides it."""
    for case, changes in cases.items():
        for key in changes.keys() & grid.keys():
            raise ConfigError(f"{where}: {key} is in the grid and in case {case}; leave it to one of them")
    for key in sorted(fixed.keys() & {*grid, *(key for changes in cases.values() for key in changes)}):
        raise ConfigError(f"{OPTION} {key}: the sweep varies it; change it in {where}")


def _check_names(runs: Iterable[PlannedRun], where: str) -> None:
    """No two runs under one name, on file systems that take A for a as well."""
    seen: dict[str, PlannedRun] = {}
    for run in runs:
        other = seen.setdefault(run.name.casefold(), run)
        if other is not run:
            raise ConfigError(
                f"{where}: two runs would be named {run.name}: ({other.label}) and ({run.label}); use 'cases' to name them"
            )
        if len(run.name.encode()) > LONGEST_NAME:
            raise ConfigError(
                f"{where}: {run.name[:60]}…: found a name of {len(run.name)} characters; expected at most {LONGEST_NAME}; "
                "use 'cases' to name settings shortly"
            )
