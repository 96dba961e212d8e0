"""Markdown as GitHub renders it. Same analysis, same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from runreport.marks import CODE, CODE_END, MARKS, STRONG, STRONG_END, plain, strong
from runreport.report.model import FindingItem, ReportModel

if TYPE_CHECKING:
    from jinja2 import Environment

# Characters that can open markup anywhere in a line. A dot, dash or digit can only at its start, handled apart.
_INLINE = re.compile(
    r"([\\`*{}<~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\[(?=[^\]]*\](?:\(|\[))|\[(?=[\^ xX]\]?)|&(?=[#A-Za-z0-9]+;))"
)
_LINE_START = re.compile(r"^(\d*)(?:((?<=\d)[.)]|(?<!\d)[-+#=|]+)(?=\s|$)|(?<!\d)(>|\[(?=[^\]]*\]:)))")
_LINE_END = re.compile(r"(?<=\s)(#+)$")  # a heading would drop these as its closing marks
_STRONG = re.compile(f"{STRONG}( *)([^{STRONG_END}]*?)( *){STRONG_END}")
_ORDINARY = re.compile(r"-?\d+(?:\.\d+)?|[A-Za-z]+(?: [A-Za-z]+)*|")
"""A number or plain words, which most cells are: nothing in them can open markup."""
KEPT = 4096
"""Escaped texts kept: the reports of many runs repeat most of their sentences."""
_SPAN = re.compile(f"{CODE}([^{CODE_END}]*){CODE_END}")


def templates_folder() -> Path:
    """Where the templates are: inside the installed package, else ``templates/`` of the checkout.

    hatchling puts top-level ``templates/`` into the wheel as ``runreport/_templates``; an editable install has none there.
    """
    package = Path(__file__).resolve().parent.parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


@lru_cache(maxsize=KEPT)
def escape(text: str) -> str:
    """Plain text (with our marks) as Markdown that reads as that text.

    >>> escape("a*b <i> x_y"), escape("# no heading"), escape("[0.1, 0.2]")
    ('a\\\\*b \\\\<i> x_y', '\\\\# no heading', '[0.1, 0.2]')
    """
    spans: list[str] = []

    def keep(match: re.Match[str]) -> str:
        spans.append(_code_span(match[1]))
        return f"{CODE}{len(spans) - 1}{CODE_END}"

    # A finding may carry text of a file that nobody cleaned: what drives a terminal or breaks a line ends here.
    line = text if text.isprintable() else "".join(c if c.isprintable() or c in MARKS else " " for c in text)
    line = line.strip()
    if _ORDINARY.fullmatch(line):
        return line
    held = _SPAN.sub(keep, line)
    escaped = _LINE_END.sub(r"\\\1", _LINE_START.sub(r"\1\\\2\3", _INLINE.sub(r"\\\1", held)))
    # Space inside the stars would leave them standing; nothing inside them is nothing to set off.
    marked = _STRONG.sub(lambda m: f"{m[1]}**{m[2]}**{m[3]}" if m[2] else m[1], escaped)
    return plain(_SPAN.sub(lambda match: spans[int(match[1])], marked))


@lru_cache(maxsize=KEPT)
def cell(text: str) -> str:
    """Text for a table cell: a pipe would end it, also inside a code span."""
    return escape(text).replace("|", "\\|")


def cells(row: Sequence[str]) -> str:
    """The cells of a row of a table, between its outer pipes."""
    return " | ".join(map(cell, row))


def alternative(text: str) -> str:
    """Text for an image's brackets: no mark of ours, and every bracket escaped, or the first would close them.

    >>> alternative("a ] b")
    'a \\\\] b'
    """
    return re.sub(r"(\\.)|([\[\]])", lambda match: match[1] or f"\\{match[2]}", escape(plain(text)))


def fence(text: str) -> str:
    """Backticks that open and close preformatted text: more than any run of them inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _code_span(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text.strip() else ""


DATA_URI = "data:image/svg+xml;base64,"
"""Beginning of an image that is inside the text; no file's name can be so, for it has no colon."""


def target(file: str) -> str:
    """Where an image is: a file beside the report, or the image itself.

    >>> target("run 1.svg")
    'run%201.svg'
    """
    return file if file.startswith(DATA_URI) else quote(file)


def finding(item: FindingItem) -> str:
    """A finding in a line: its sentence, then how severe it is, by what rule, and what its test said."""
    note = f", {item.note}" if item.note else ""
    return f"{item.message} ({strong(item.severity)}, {item.rule}{note})"


def html(text: str) -> str:
    """Text for the summary of a fold, the one place that is HTML.

    >>> html("<b> & *x*")
    '&lt;b&gt; &amp; &#42;x&#42;'
    """
    from html import escape as escape_html  # its table of names takes as long as ten reports; few have a fold

    line = "".join(c if c.isprintable() else " " for c in text).strip()
    return re.sub(r"[*_`\[\]~\\$|]", lambda match: f"&#{ord(match[0])};", escape_html(line))


@cache
def environment() -> Environment:
    """The template environment: undefined names are errors, and every value passes through ``md`` or ``cells``."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(  # Markdown, not HTML: text is escaped by the filters below
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters |= {"md": escape, "cells": cells, "plain": plain, "alternative": alternative, "fence": fence}
    env.filters |= {"target": target, "finding": finding, "html": html}
    return env


def render_markdown(report: ReportModel, template: str = "report.md.j2") -> str:
    """The report as Markdown: one blank line between blocks, one line end at the end."""
    text = environment().get_template(template).render(report=report)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
