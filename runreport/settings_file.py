"""A settings file with everything that can be set, each at its default: written from the code that reads it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from runreport.rules.base import Rule
from runreport.settings import KEYS, Settings

WIDTH = 100
EXAMPLES = {"group": '"flight_name"'}
"""Values shown for settings that have no default."""


def settings_text(rules: Sequence[Rule]) -> str:
    """``runreport.toml`` with every setting and threshold as a comment that holds its default, and why it is that.

    As it stands the file changes nothing: a line counts once its ``#`` is taken away.
    """
    lines = [
        "# Settings of runreport, read from the folder that it is called in.",
        "# Each line below that begins with #: is a setting at its default; take the #: away to change it, for a",
        "# threshold that of its [thresholds...] line as well.",
        "",
    ]
    for key, what in KEYS.items():
        if key == "thresholds":
            continue
        lines += [*_comment(what), f"#: {key} = {_default(key)}", ""]
    lines += [*_comment(KEYS["thresholds"]), ""]
    for rule in rules:
        if rule.thresholds:
            lines += [*_rule(rule), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _default(key: str) -> str:
    """The default as TOML; for a setting without one, an example."""
    defaults = Settings()
    values = {"disable": sorted(defaults.disabled), "group": defaults.group, "seed": defaults.seed}
    value = values[key]
    return EXAMPLES[key] if value is None else json.dumps(value)


def _rule(rule: Rule) -> Iterator[str]:
    yield from _comment(f"{rule.title} ({rule.severities}).")
    yield f'#: [thresholds."{rule.id}"]'
    for threshold in rule.thresholds:
        unit = f" [{threshold.unit}]" if threshold.unit else ""
        yield from _comment(f"{threshold.name}{unit}: {threshold.reason}")
        yield f"#: {threshold.name} = {threshold.default!r}"


def _comment(text: str) -> list[str]:
    """The text as comment lines, without a break inside a word."""
    plain = " ".join(text.split())
    return [f"# {line}" for line in textwrap.wrap(plain, WIDTH - 2, break_long_words=False, break_on_hyphens=False)]
