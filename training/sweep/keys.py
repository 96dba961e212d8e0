"""Settings by dotted keys, and the names that runs get from them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys.

    >>> flat({"data": {"noise": 1.0}, "loss": "mae"})
    {'data.noise': 1.0, 'loss': 'mae'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`flat`. A key that another one goes into is left as it is, for the configuration to refuse.

    >>> nested({"data.noise": 1.0, "loss": "mae"})
    {'data': {'noise': 1.0}, 'loss': 'mae'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        *outer, last = key.split(".")
        target = found
        for part in outer:
            inner = target.setdefault(part, {})
            if not isinstance(inner, dict):
                target, last = found, key
                break
            target = inner
        target[last] = value
    return found


def text_of(value: Any) -> str:
    """A value as part of a file name. Different values may give one text; a plan refuses runs of one name.

    >>> [text_of(value) for value in (2, 2.0, 5e-4, True, None, ["huber", "ccc"], "a b/c")]
    ['2', '2', '0.0005', 'true', 'null', 'huber+ccc', 'a_b_c']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list | tuple):
        return "+".join(text_of(item) for item in value)
    return _UNSAFE.sub("_", str(value))


def run_name(sweep: str, case: str | None, point: Mapping[str, Any], seed: int) -> str:
    """The name of one run: sweep, case, each setting of the grid, seed.

    A key is followed by ``_`` and not by ``=``, which a run's name may not hold.

    >>> run_name("lambda_sweep", None, {"variance_lambda": 0.5}, 1)
    'lambda_sweep-variance_lambda_0.5-seed_1'
    """
    parts = [sweep, *([case] if case is not None else []), *(f"{key}_{text_of(value)}" for key, value in point.items())]
    return "-".join([*parts, f"seed_{seed}"])
