"""Output to a terminal or a file whose encoding lacks our characters: spelt out, never an error."""

from __future__ import annotations

import codecs
import io
import sys

NAME = "runreport.spelt"
SPELT = {
    "²": "2", "α": "alpha", "β": "beta", "λ": "lambda", "σ": "sigma", "Δ": "delta ", "Σ": "sum ", "ρ": "rho", "½": "1/2",
    "·": "-", "–": "-", "—": "-", "−": "-", "→": "->", "×": "x", "≥": ">=", "≤": "<=", "±": "+-", "≈": "~", "≪": "<<",
    "∞": "inf", "…": "...", "√": "sqrt ", "█": "#", "▌": "|", "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip
"""How a character is written where it cannot be encoded; any other becomes a question mark."""


def spelt(error: UnicodeError) -> tuple[str, int]:
    """An error handler of :mod:`codecs`: the characters that cannot be encoded, spelt out.

    >>> codecs.register_error(NAME, spelt)
    >>> "R² ≥ 0.3 σ".encode("ascii", NAME)
    b'R2 >= 0.3 sigma'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(SPELT.get(c, "?") for c in error.object[error.start : error.end]), error.end


def spell_out() -> None:
    """Lets stdout and stderr write any text in the encoding that they have."""
    codecs.register_error(NAME, spelt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=NAME)
