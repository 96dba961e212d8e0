"""What a mistyped name may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MOST = 3
"""Names that are suggested: more are a list to read, not a hint."""
ALMOST = 0.85
"""Likeness (of difflib, 0 to 1) from which the nearest name is suggested alone: a letter or two are wrong."""
FEW = 12
"""Names that are listed whole where none is like the one given; of more the place that lists them is said."""


def nearest(name: str, known: Iterable[str], *, listed_in: str | None = None) -> str:
    """The end of an error's line: the nearest of the known names, or what there is.

    A name is near by its letters; among more than a few also because it is one of a known name's words, or its initials.

    >>> nearest("warmup_step", ["warmup_steps", "warmup_unit"])
    "; did you mean 'warmup_steps'?"
    >>> many = ["temporal_frames", "learning_rate", "max_epochs", "lambda_epochs", *map(str, range(9))]
    >>> [nearest(name, many).removeprefix("; did you mean ") for name in ("frames", "lr", "epochs")]
    ["'temporal_frames'?", "'learning_rate'?", "'max_epochs' or 'lambda_epochs'?"]
    >>> nearest("x", ["cpu", "cuda"]), nearest("x", many, listed_in="docs/training.md")
    ('; expected one of cpu, cuda', '; docs/training.md lists what there is')
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=MOST)
    if near and difflib.SequenceMatcher(None, near[0], name).ratio() >= ALMOST:
        near = near[:1]
    elif len(names) > FEW:
        near = [other for other in names if _names_it(name, other)][:MOST] or near
    if near:
        quoted = [f"'{other}'" for other in near]
        return f"; did you mean {' or '.join([', '.join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)}?"
    if len(names) > FEW and listed_in is not None:
        return f"; {listed_in} lists what there is"
    return f"; expected one of {', '.join(names)}"


def _names_it(name: str, other: str) -> bool:
    """Whether ``name`` is a word of the other, or its initials."""
    words = [word for word in re.split(r"[._]", other) if word]
    return name in words or name == "".join(word[0] for word in other.split(".")[-1].split("_") if word)
