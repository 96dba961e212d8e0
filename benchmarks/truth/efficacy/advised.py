"""What the report of a run advises to change: from its files alone, by the code behind ``runreport analyze --next``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runreport.advice.give import give_advice
from runreport.advice.next_config import patched
from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.errors import InputError
from runreport.findings import Finding, Severity
from runreport.ingest.load import load_runs
from runreport.rules.registry import all_rules
from training.config import Config
from training.config_file import parse_config
from training.errors import ConfigError

NO_CHANGE = "none"
"""Id of the advice that says that no change is warranted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """The next run's config after the report, and what could have been advised.

    advice
        Id of the advice that was applied; of the first that there is, where none changes a setting.
    patch, config
        The settings that it changes, and the whole config with them; empty and None where there is nothing to apply, the
        config None as well where the trainer refuses it.
    possible
        Every different patch that the report could hold for this run, had it found something else.
    """

    advice: str
    patch: Mapping[str, Any] = field(default_factory=dict)
    config: Config | None = None
    possible: tuple[Mapping[str, Any], ...] = ()

    @property
    def said_no_change(self) -> bool:
        """Whether the report says that nothing need be changed."""
        return self.advice == NO_CHANGE


def advised(folder: Path) -> Advised:
    """The advice on the one run whose artifacts lie in ``folder``."""
    loaded = list(load_runs([str(folder)]))
    runs = [run for run in loaded if not isinstance(run, InputError)]
    if not runs:
        return Advised(advice=f"unreadable: {loaded[0]}")
    analysis = analyze_run(runs[-1])
    possible = possible_patches(analysis)
    try:
        advice, config = patched(analysis)
    except InputError:
        return Advised(advice=analysis.advice[0].id, possible=possible)
    return Advised(advice=advice.id, patch=dict(advice.config_patch), config=_parsed(config), possible=possible)


def _parsed(config: Mapping[str, Any]) -> Config | None:
    """The config as the trainer reads it; None where it refuses it."""
    try:
        return parse_config(config)
    except ConfigError:
        return None


def possible_patches(analysis: Analysis) -> tuple[Mapping[str, Any], ...]:
    """The patches of all advice that any one finding would lead to, on the figures and the config of this run.

    Without those that the trainer refuses or that change nothing.
    """
    config = analysis.run.config
    found: dict[str, Mapping[str, Any]] = {}
    for rule in all_rules():
        finding = Finding(rule=rule.id, severity=Severity.CRITICAL, message=rule.title, evidence={"policy": "max_r2"})
        for advice in give_advice(analysis.context, [finding]):
            changed = {k: v for k, v in advice.config_patch.items() if config.get(k) != v}
            if changed and _parsed({**config, **changed}) is not None:
                found.setdefault(repr(sorted(changed.items())), changed)
    return tuple(found[key] for key in sorted(found))
