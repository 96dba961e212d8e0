"""Words that a shell may complete: rule ids, readers, the names of runs. Nothing here reads a log."""

from __future__ import annotations

from pathlib import Path

from runreport.artifacts.names import is_run_name

DEFAULT_LOGS = ("logs/csv", "example_logs/csv")
"""Where run names are looked up, as in :data:`runreport.ingest.load.DEFAULT_LOGS`, which takes longer to load."""


def rule_ids(incomplete: str) -> list[tuple[str, str]]:
    """Ids of rules that begin so, with their titles."""
    from runreport.errors import InputError
    from runreport.rules.registry import all_rules

    try:
        return [(rule.id, rule.title) for rule in all_rules() if rule.id.startswith(incomplete)]
    except InputError:  # a rule of another distribution does not load; the command itself will say so
        return []


def readers(incomplete: str) -> list[tuple[str, str]]:
    """Names of readers that begin so, with what they read."""
    from runreport.errors import InputError
    from runreport.ingest.registry import all_readers

    try:
        return [(reader.name, reader.reads) for reader in all_readers() if reader.name.startswith(incomplete)]
    except InputError:
        return []


def runs(incomplete: str) -> list[str]:
    """Runs of the default log folders whose names begin so.

    Only names of letters, digits and ``. _ + -``: shells evaluate what a completion prints.
    """
    names: dict[str, None] = {}
    for folder in DEFAULT_LOGS:
        try:
            stems = sorted(path.stem for path in Path(folder).glob("*.csv"))
        except OSError:
            continue
        names |= dict.fromkeys(stem for stem in stems if is_run_name(stem) and stem.startswith(incomplete))
    return list(names)
