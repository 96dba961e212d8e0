"""The complete config of the next run: this run's, with the first advice that has a patch applied."""

from __future__ import annotations

from runreport.advice.record import Advice
from runreport.analysis.record import Analysis
from runreport.errors import InputError


def patched(analysis: Analysis) -> tuple[Advice, dict[str, object]]:
    """(the advice applied, the whole config after it).

    Raises
    ------
    InputError
        Where the run's config is not known, or no advice changes a setting.
    """
    config = analysis.run.config
    if not config:
        raise InputError(
            analysis.run.name, found="no config in its metrics file", expected="a `config` object in metrics_<run>.json"
        )
    advice = next((a for a in analysis.advice if a.config_patch), None)
    if advice is None:
        raise InputError(
            analysis.run.name,
            found="no advice that changes a setting",
            remedy=f"its first step is: {analysis.advice[0].title.lower()}",
        )
    changed = dict(config) | dict(advice.config_patch)
    if isinstance(config.get("run_name"), str):
        changed["run_name"] = f"{config['run_name']}_next"
    return advice, changed


def next_config_text(analysis: Analysis) -> str:
    """That config as YAML, with what was changed and why in its first lines."""
    import yaml

    advice, config = patched(analysis)
    lines = [
        f"# {' '.join(analysis.run.name.split())} with one change: {advice.title}.",
        f"# Refuted if {advice.refuted_if}.".replace("\n", " "),
        *(f"# {key}: {analysis.run.config.get(key)!r} -> {value!r}" for key, value in advice.config_patch.items()),
    ]
    return "\n".join(lines) + "\n" + yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
