"""A report as a fragment of HTML for a notebook's cell: the summary, results and charts, the other sections folded."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

OPEN = 2
"""Sections that stand open, besides those with a chart: the summary and the results. A whole report is longer than a screen."""
STYLE = (
    "<style>.runreport{max-width:60em;line-height:1.45}.runreport h1{font-size:1.3em;margin:.2em 0}"
    ".runreport h2{font-size:1.1em;margin:.6em 0 .2em}.runreport summary{cursor:pointer;font-weight:600;margin:.3em 0}"
    ".runreport table{margin:.5em 0}"
    # Notebooks set every cell to the right; a column of numbers says so in a style of its own.
    ".runreport th:not([style]),.runreport td:not([style]){text-align:left!important}"
    ".runreport pre{line-height:1.2;overflow-x:auto}.runreport img{max-width:100%;background:#fff}</style>"
)


def notebook_html(markdown: str, images: Mapping[str, str] | None = None) -> str:
    """The Markdown of a report (see :mod:`runreport.report.markdown`) as HTML.

    ``images``: file name in the Markdown -> SVG. They are put in as images, in which no script runs. Everything that came
    out of a file is text in that Markdown already, so nothing of it is markup here.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    _embed(tokens, images or {})
    parts = _sections(tokens)

    def render(part: list[Token]) -> str:
        return str(parser.renderer.render(part, parser.options, {}))

    html = [STYLE, '<div class="runreport">', render(parts[0])]
    for number, part in enumerate(parts[1:]):
        if number < OPEN or any(child.type == "image" for token in part for child in token.children or ()):
            html.append(render(part))
        else:
            html.append(f"<details><summary>{render(part[1:2])}</summary>{render(part[3:])}</details>")
    return "\n".join([*html, "</div>"])


def _sections(tokens: Iterable[Token]) -> list[list[Token]]:
    """The tokens before the first heading of the second level, then those from each such heading on."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h2":
            parts.append([])
        parts[-1].append(token)
    return parts


def _embed(tokens: Iterable[Token], images: Mapping[str, str]) -> None:
    """Puts the pictures themselves in the place of their file names."""
    for token in tokens:
        for child in token.children or ():
            svg = images.get(str(child.attrs.get("src"))) if child.type == "image" else None
            if svg is not None:
                data = base64.b64encode(svg.encode("utf-8")).decode("ascii")
                child.attrSet("src", f"data:image/svg+xml;base64,{data}")
