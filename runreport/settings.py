"""What a user may set: thresholds, disabled rules, the group column; from ``runreport.toml`` or ``pyproject.toml``."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runreport.errors import InputError
from runreport.ingest.columns import near

SEED = 20241020
"""Seed of every resampling, so that the same input gives the same report; any fixed number would do."""
KEYS: Mapping[str, str] = {
    "disable": "Ids of rules that are not run (see: runreport rules); a report lists them.",
    "group": "Column of the predictions whose values are resampled whole. Without it one is chosen from the columns.",
    "seed": "Seed of every resampling: the same input gives the same report.",
    "thresholds": "What a rule compares with: a table a rule. A report says which were changed.",
}
"""What may be set, and what it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One analysis' settings.

    thresholds
        Rule id -> threshold name -> value, only those that differ from the defaults.
    disabled
        Ids of rules that are not run; the report lists them.
    group
        Column of the predictions whose values are resampled whole; None: chosen from the columns.
    """

    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    group: str | None = None
    seed: int = SEED
    source: Path | None = None


def find_settings(folder: Path) -> Path | None:
    """``runreport.toml`` in this folder, else a ``pyproject.toml`` here that has ``[tool.runreport]``, else None."""
    own = folder / "runreport.toml"
    if own.is_file():
        return own
    project = folder / "pyproject.toml"
    return project if project.is_file() and _table(_parse(project)) is not None else None


def read_settings(path: Path) -> Settings:
    """Settings from a TOML file.

    Raises
    ------
    InputError
        Not TOML, an unknown key, an unknown rule or threshold, or a value of the wrong kind.
    """
    document = _parse(path)
    table = _table(document) if path.name == "pyproject.toml" else document
    if not isinstance(table, dict):
        raise InputError(path, found=f"tool.runreport = {table!r}", expected="a table")
    for key in table:
        if key not in KEYS:
            raise InputError(path, found=f"unknown key {key!r}", expected=near(key, KEYS))
    from runreport.rules.registry import all_rules

    rules = {rule.id: rule for rule in all_rules()}
    disabled = table.get("disable", [])
    if not isinstance(disabled, list) or not all(isinstance(rule, str) for rule in disabled):
        raise InputError(path, found=f"disable = {disabled!r}", expected="a list of rule ids")
    thresholds = table.get("thresholds", {})
    if not isinstance(thresholds, dict):
        raise InputError(path, found=f"thresholds = {thresholds!r}", expected="a table per rule")
    for rule_id in [*disabled, *thresholds]:
        if rule_id not in rules:
            raise InputError(path, found=f"unknown rule {rule_id!r}", expected=near(str(rule_id), rules))
    for rule_id, values in thresholds.items():
        known = [t.name for t in rules[rule_id].thresholds]
        if not isinstance(values, dict):
            raise InputError(path, found=f"thresholds.{rule_id} = {values!r}", expected="name = number pairs")
        for name, value in values.items():
            if name not in known:
                raise InputError(path, found=f"{rule_id} has no threshold {name!r}", expected=near(name, known))
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(path, found=f"{rule_id}.{name} = {value!r}", expected="a number")
    group, seed = table.get("group"), table.get("seed", SEED)
    if group is not None and not isinstance(group, str):
        raise InputError(path, found=f"group = {group!r}", expected="a column name")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(path, found=f"seed = {seed!r}", expected="a whole number ≥ 0")
    return Settings(
        thresholds={rule: {name: float(v) for name, v in values.items()} for rule, values in thresholds.items()},
        disabled=frozenset(disabled),
        group=group,
        seed=seed,
        source=path,
    )


def _table(document: dict[str, Any]) -> Any:
    """``[tool.runreport]`` of a pyproject, None where there is none; whatever it is, for the caller to check."""
    tool = document.get("tool")
    return tool.get("runreport") if isinstance(tool, dict) else None


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        found = "no such file" if missing else f"cannot be read ({error.strerror or error})"
        raise InputError(path, found=found, expected="a TOML file of settings", remedy="check the path") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(path, found=f"not TOML ({error})", expected="a TOML file") from None
