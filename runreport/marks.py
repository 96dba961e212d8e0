"""Inline marks that text from logs cannot forge.

A sentence is a plain string. ``strong`` and ``code`` wrap a part of it in private-use characters; a renderer first
escapes the whole string for its format and then turns those characters into its own marks. :func:`clean` removes them
(and anything that drives a terminal) from names that come out of files, so that a run called ``**x**`` stays text.
"""

from __future__ import annotations

STRONG, STRONG_END, CODE, CODE_END = "\ue000", "\ue001", "\ue002", "\ue003"
MARKS = frozenset((STRONG, STRONG_END, CODE, CODE_END))


def clean(name: object) -> str:
    """Text from a file as one printable line without marks.

    >>> clean("a\\nb\\x1b[31m")
    'a b [31m'
    """
    text = str(name)
    if text.isprintable():  # none of the marks is
        return text
    return "".join(
        " " if c in "\n\r\t\x1b" else c for c in text if c not in MARKS and (c.isprintable() or c in "\n\r\t\x1b")
    )


def strong(text: str) -> str:
    """Text that stands out."""
    return f"{STRONG}{text}{STRONG_END}"


def code(name: object) -> str:
    """A name from a log, a config or the code."""
    return f"{CODE}{clean(name)}{CODE_END}"


def plain(text: str) -> str:
    """The text without its marks.

    >>> plain(strong("now") + " " + code("val_loss"))
    'now val_loss'
    """
    return text if text.isprintable() else "".join(c for c in text if c not in MARKS)  # the marks are not printable
