"""Configurations and other settings as what JSON can hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

Config = Any
"""A mapping, a dataclass, or an object with attributes such as argparse's Namespace; None for nothing known."""


def as_mapping(config: Config) -> dict[str, Any]:
    """The configuration as a JSON object; ValueError where it is none of the kinds above.

    >>> as_mapping({"lr": 0.1, "layers": (8, 8), "out": PurePath("logs")})
    {'lr': 0.1, 'layers': [8, 8], 'out': 'logs'}
    """
    if config is None:
        return {}
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        config = dataclasses.asdict(config)
    elif not isinstance(config, Mapping) and hasattr(config, "__dict__") and not isinstance(config, type):
        config = vars(config)
    if not isinstance(config, Mapping):
        raise ValueError(f"config: expected a mapping, a dataclass or a namespace; found {type(config).__name__}")
    found = as_json(config)
    return {str(key): value for key, value in found.items()}


def as_json(value: Any) -> Any:
    """The value as numbers, text, lists and objects; what is none of them as its text (a class, a function, a device).

    Tensors and arrays become (nested) lists, sets are sorted by their text so that the same value gives the same bytes.
    """
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) else int(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [as_json(item) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json(dataclasses.asdict(value))
    if hasattr(value, "dtype") and callable(getattr(value, "tolist", None)):
        return as_json(value.tolist())
    return value.as_posix() if isinstance(value, PurePath) else str(value)
