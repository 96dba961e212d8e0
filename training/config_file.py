"""YAML → :class:`training.config.Config`, every key, type and range checked."""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from runreport.artifacts import is_run_name
from training.config import Config, DataConfig, all_settings
from training.data.flights import flight_names
from training.errors import ConfigError
from training.objective_checks import check_objective
from training.suggest import nearest

PRESETS = Path(__file__).parent / "presets"
OPTION = "--set"
"""The option whose settings go over a file's; a mistake in one of them is its own and not the file's."""
LISTED = "docs/training.md"
"""Where all settings are listed."""


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key given twice, which YAML loaders otherwise resolve silently in favour of the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def preset_names() -> tuple[str, ...]:
    """Names of the configurations that come with the package, sorted."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def find_config(name: str) -> Path:
    """The file that ``name`` means: a path to a YAML file, or the name of a preset."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if path.is_file():
            return path
        raise ConfigError(f"{name}: no such file")
    if name in preset_names():
        return PRESETS / f"{name}.yaml"
    raise ConfigError(f"{name}: neither a .yaml file nor a preset{nearest(name, preset_names())}")


def read_yaml(text: str, where: str) -> Any:
    """The plain values in a YAML text; a ConfigError of one line where it is not YAML."""
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{where}:{place} {problem}") from error


def load_config(name: str, overrides: Iterable[str] = ()) -> Config:
    """The configuration of a file or preset, with ``key=value`` overrides (``data.noise=0.5`` for nested keys).

    ``run_name`` defaults to the file's stem.
    """
    path = find_config(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    values = read_yaml(text, str(path))
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: found {_kind(values)}; expected keys and values, such as 'loss: huber'")
    values = {"run_name": path.stem, **values}
    given = [_apply(values, override) for override in overrides]
    return parse_config(values, where=name, given=given)


def _apply(values: dict[str, Any], override: str) -> str:
    """Puts one ``key=value`` into the values and gives back the key; the value is read as YAML."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"{OPTION} {override}: expected key=value")
    *outer, last = key.strip().split(".")
    target = values
    for part in outer:
        inner = target.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{OPTION} {override}: {part} holds a value, not further keys")
        target = inner
    target[last] = read_yaml(text, f"{OPTION} {key}")
    return key.strip()


def parse_config(values: Mapping[str, Any], *, where: str = "config", given: Iterable[str] = ()) -> Config:
    """A checked configuration of plain values, as YAML or ``Config.to_dict`` gives them.

    ``where`` is what an error names; for the dotted keys ``given`` it names ``--set``, which they came from.
    """
    own = tuple(given)

    def place(key: str) -> str:
        return OPTION if any(key == other or key.startswith(f"{other}.") for other in own) else where

    config = _parse(Config, values, place, "")
    if own:  # what follows is about settings that do not fit each other, whoever set them
        where = f"{where} with {OPTION} {' '.join(own)}"
    assert isinstance(config, Config)  # noqa: S101 - tells the type checker what _parse was asked for
    if not is_run_name(config.run_name):
        raise ConfigError(
            f"{where}: run_name: found {config.run_name!r}; expected letters, digits, '.', '_', '+', '-', and no "
            "beginning with predictions_, metrics_ or epoch_predictions_"
        )
    simulated = config.data.kind == "flights" and config.data.split == "given"
    if simulated and config.overweight_factor != 1.0 and config.overweight_flight not in flight_names():
        raise ConfigError(
            f"{where}: overweight_flight: found {config.overweight_flight!r}; expected one of "
            f"{', '.join(flight_names())}, because overweight_factor is {config.overweight_factor}"
        )
    check_objective(config, where=where)
    return config


def _parse(
    kind: type[Config] | type[DataConfig], values: Any, place: Callable[[str], str], prefix: str
) -> Config | DataConfig:
    if not isinstance(values, Mapping):
        key = prefix.rstrip(".")
        raise ConfigError(f"{place(key)}: {key}: found {_kind(values)}; expected keys and values")
    known = {item.name: item for item in fields(kind)}
    for key in values:
        if key not in known:
            name = f"{prefix}{key}"
            raise ConfigError(f"{place(name)}: unknown key '{name}'{nearest(name, all_settings(), listed_in=LISTED)}")
    hints = get_type_hints(kind)
    parsed: dict[str, Any] = {}
    for key, value in values.items():
        hint, label = hints[key], f"{place(prefix + key)}: {prefix}{key}"
        if is_dataclass(hint):
            parsed[key] = _parse(DataConfig, value, place, f"{prefix}{key}.")
        else:
            parsed[key] = _checked(value, hint, known[key].metadata, label)
    return kind(**parsed)


def _checked(value: Any, hint: Any, limits: Mapping[str, Any], label: str) -> Any:
    """The value as the annotated type, within its limits."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple) or not value:
            found = "an empty list" if value in ([], ()) else _kind(value)
            raise ConfigError(f"{label}: found {found}; expected a list of at least one, such as [1, 2]")
        (inner, _) = get_args(hint)
        return tuple(_checked(item, inner, limits, f"{label}[{index}]") for index, item in enumerate(value))
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if value is None and type(None) in options:
        return None
    words = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    if value in words and isinstance(value, str):
        return value
    converted = _converted(value, options)
    if converted is None:
        names = [getattr(option, "__name__", "") for option in options if get_origin(option) is not Literal]
        expected = " or ".join([_TYPE_WORDS[name] for name in names] + words)
        raise ConfigError(f"{label}: found {_kind(value)}; expected {expected}")
    if "choices" in limits:
        converted = str(converted).lower()
        if converted not in limits["choices"]:
            raise ConfigError(f"{label}: found {value!r}{nearest(converted, limits['choices'])}")
    if isinstance(converted, int | float) and not isinstance(converted, bool):
        _check_range(converted, limits, label)
    return converted


_TYPE_WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "text", "NoneType": "null"}


def _converted(value: Any, options: tuple[Any, ...]) -> bool | int | float | str | None:
    """The value as one of the types, or None where it is none of them."""
    if isinstance(value, bool):
        return value if bool in options else None
    if isinstance(value, str) and str not in options and float in options:
        # YAML 1.1 reads 5e-4, without a point, as text; everybody means the number.
        try:
            return float(value)
        except ValueError:
            return None
    if isinstance(value, str):
        return value if str in options else None
    if isinstance(value, int):
        return value if int in options else float(value) if float in options else None
    return value if isinstance(value, float) and float in options else None


_RANGE_TESTS = {
    "low": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "high": ("at most", operator.le),
    "below": ("below", operator.lt),
}


def _check_range(value: float, limits: Mapping[str, Any], label: str) -> None:
    asked = [(word, limits[key], holds) for key, (word, holds) in _RANGE_TESTS.items() if key in limits]
    if not math.isfinite(value) or not all(holds(value, bound) for _, bound, holds in asked):
        expected = " and ".join(f"{word} {bound}" for word, bound, _ in asked) or "a finite number"
        raise ConfigError(f"{label}: found {value}; expected {expected}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"
