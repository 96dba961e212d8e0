"""Settings as plain values: what a store wrote as text, YAML or JSON, with nothing in it but scalars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.table import LARGEST, read_bytes, to_float
from runreport.marks import clean

MAX_YAML = 256 * 1024
"""Largest YAML read: PyYAML takes seconds a megabyte, and a run's settings are a few hundred bytes."""
MAX_SETTINGS = 1000
"""Settings kept of a run: a comparison shows a handful, and a file with more is data."""
MOST_TEXT = 500
"""Characters kept of a setting that is text."""
WORDS: Mapping[str, object] = {"true": True, "false": False, "none": None, "null": None, "": None}


def scalar(text: str) -> object:
    """A setting that was written as text: a number, a truth value, nothing, else the text as a printable line.

    >>> scalar("0.01"), scalar("3"), scalar("True"), scalar("adam")
    (0.01, 3, True, 'adam')
    """
    text = text.strip()
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        number = to_float(text)
    except ValueError:
        return clean(text)[:MOST_TEXT]
    if not math.isfinite(number):
        return clean(text)[:MOST_TEXT]
    return int(number) if text.lstrip("+-").isdecimal() and abs(number) < 2**53 else number


def flat(document: object) -> dict[str, object]:
    """The scalars of nested settings by dotted name (``model.depth``); lists and objects are left out.

    >>> flat({"lr": 0.1, "model": {"depth": 3, "sizes": [1, 2]}})
    {'lr': 0.1, 'model.depth': 3}
    """
    settings: dict[str, object] = {}
    waiting: list[tuple[str, object]] = [("", document)]
    budget = 10 * MAX_SETTINGS  # an alias can make a small YAML file a tree without end
    while waiting and len(settings) < MAX_SETTINGS and budget > 0:
        budget -= 1
        name, value = waiting.pop(0)
        if isinstance(value, Mapping):
            if len(waiting) < MAX_SETTINGS:
                waiting += [
                    (f"{name}.{clean(k)}" if name else clean(k), v) for k, v in list(value.items())[:MAX_SETTINGS]
                ]
        elif name and (value is None or isinstance(value, bool)):
            settings[name[:MOST_TEXT]] = value
        elif name and isinstance(value, int | float):
            # As in a summary of our own: what no float holds is undefined, and no later arithmetic overflows.
            settings[name[:MOST_TEXT]] = value if abs(value) <= LARGEST else None
        elif name and isinstance(value, str):
            settings[name[:MOST_TEXT]] = clean(value)[:MOST_TEXT]
    return settings


def read_yaml(path: Path) -> dict[str, object]:
    """The scalars of a YAML mapping by dotted name; never an object, whatever its tags say.

    Raises
    ------
    InputError
        No file, more than :data:`MAX_YAML`, or no YAML mapping of plain values.
    """
    document = load_yaml(path, "a YAML mapping of settings")
    if not isinstance(document, dict):
        raise InputError(path, found="no YAML mapping", expected="a YAML mapping of settings")
    return flat(document)


def load_yaml(path: Path, expected: str, most: int = MAX_YAML) -> object:
    """A YAML document of plain values, whatever its tags say; aliases make parts of it one and the same.

    Raises
    ------
    InputError
        No file, more than ``most`` bytes, or no YAML of plain values.
    """
    import yaml

    class Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """The safe loader (libyaml's where there is one) without merge keys (``<<``), which unfold a few lines into millions."""

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            """Leaves the key where it is: then it is refused, as every tag that is no plain value's."""

    data = read_bytes(path, expected)
    if len(data) > most:
        raise InputError(path, found=f"{len(data) // 1024} KiB of YAML", expected=f"at most {most // 1024} KiB")
    try:
        return yaml.load(data, Loader=Plain)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        raise InputError(path, found="no YAML of plain values", expected=expected) from None
