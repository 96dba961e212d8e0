"""The README's tables of scores, written between markers from the JSON files, so that no figure there was typed."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.truth.efficacy.page import readme_rows
from benchmarks.truth.page import readme_table

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- {name}: written by python -m benchmarks.truth --readme -->", "<!-- end of {name} -->"


def tables() -> dict[str, str]:
    """Name -> table, as the results on disk give it."""
    truth = json.loads((RESULTS / "truth.json").read_text(encoding="utf-8"))
    efficacy = json.loads((RESULTS / "efficacy.json").read_text(encoding="utf-8"))
    return {"truth": readme_table(truth), "efficacy": "\n".join(readme_rows(efficacy))}


def with_tables(text: str, given: dict[str, str]) -> str:
    """The text with what stands between each pair of markers replaced.

    >>> with_tables("a\\n<!-- t: written by python -m benchmarks.truth --readme -->\\nold\\n<!-- end of t -->\\nb", {"t": "new"})
    'a\\n<!-- t: written by python -m benchmarks.truth --readme -->\\nnew\\n<!-- end of t -->\\nb'
    """
    for name, table in given.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"README.md: expected {begin!r} and {end!r} once each")
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}\n{table}\n{end}{after}"
    return text


def write_tables() -> None:
    """Writes the README anew."""
    README.write_text(with_tables(README.read_text(encoding="utf-8"), tables()), encoding="utf-8")
