"""Numbers as text in a CSV cell."""

from __future__ import annotations

import math


def cell(value: float | int | str | None) -> str:
    """The shortest text that reads back as the same value; empty for None.

    NaN and infinities are kept as ``nan``, ``inf``, ``-inf``: a loss that left the numbers is something that happened,
    not something unknown. Text with a comma, quote or line break is quoted.

    >>> [cell(value) for value in (1, 0.1, None, float("nan"), "a,b")]
    ['1', '0.1', '', 'nan', '"a,b"']
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"' if any(c in value for c in ',"\r\n') else value
    if isinstance(value, float):
        # float() drops subclasses such as numpy's, whose repr names their type.
        return repr(float(value)) if math.isfinite(value) else str(float(value))
    return str(value)


def line(values: list[float | int | str | None]) -> bytes:
    """One CSV line, line feed included."""
    return (",".join(cell(value) for value in values) + "\n").encode("utf-8")
