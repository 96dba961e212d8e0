"""Reports on disk: each file whole or not at all, under a name that a run's name cannot steer."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from runreport.analysis.record import Analysis
from runreport.errors import InputError
from runreport.report.build import build_report
from runreport.report.markdown import DATA_URI, render_markdown
from runreport.report.model import ChartGroup

if TYPE_CHECKING:
    from runreport.compare.record import Comparison

Form = Literal["md", "embedded", "html"]
"""What is written: Markdown with its charts beside it, Markdown with its charts inside, or a page."""
MAX_NAME = 120
"""Characters of a report's name: run names can be longer than file systems allow (255 bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written for one run (or for a comparison)."""

    name: str
    report: Path
    charts: tuple[Path, ...] = ()


def file_names(names: Sequence[str]) -> list[str]:
    """A file name without ending for each run: letters, digits, dot, dash and underscore, all different.

    >>> file_names(["run1", "a/run1", "../../etc", "a run1", "a-run1"])
    ['run1', 'a-run1', 'etc', 'a-run1-2', 'a-run1-3']
    """
    taken: set[str] = set()
    return [next_name(name, taken) for name in names]


def next_name(name: str, taken: set[str]) -> str:
    """The file name of one run beside those ``taken``, to which it is added."""
    base = re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.")[:MAX_NAME] or "run"
    unique, count = base, 1
    # Lower case, because some file systems cannot tell `Run1` from `run1`.
    while unique.lower() in taken:
        count += 1
        unique = f"{base}-{count}"
    taken.add(unique.lower())
    return unique


def write_text(path: Path, text: str) -> None:
    """The file, whole: written beside its place and moved there.

    Raises
    ------
    InputError
        Where it cannot be written; nothing half-written is left behind.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
        except FileNotFoundError:  # no folder yet: once a call, not once a report
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error is the one to report
            part.unlink(missing_ok=True)
        in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
        why = "a file is where its folder should be" if in_the_way else error.strerror or error
        raise InputError(path, found=f"cannot be written ({why})", remedy="choose a writable folder") from None


def write_report(
    analysis: Analysis, comparison: Comparison | None, folder: Path, name: str, *, charts: bool, form: Form = "md"
) -> Written:
    """The run's report in ``folder``: ``<name>.md`` with, where ``charts``, the SVG files it shows; or one file that holds
    its charts (``embedded`` Markdown, or ``html``)."""
    return write_and_keep(analysis, comparison, folder, name, charts=charts, form=form)[0]


def write_and_keep(
    analysis: Analysis, comparison: Comparison | None, folder: Path, name: str, *, charts: bool, form: Form = "md"
) -> tuple[Written, str]:
    """:func:`write_report`, and the report's text beside it: who keeps it need not read it again."""
    if form == "html":
        from runreport.report.html import render_html

        groups = page_charts(analysis) if charts else {}
        report = folder / f"{name}.html"
        page = render_html(build_report(analysis, comparison, charts=groups))
        write_text(report, page)
        return Written(name=analysis.run.name, report=report), page
    drawn: dict[str, str] = {}
    paths: list[Path] = []
    for kind, svg in drawings(analysis) if charts else ():
        path = folder / f"{name}.{kind}.svg"
        if form == "embedded":
            drawn[kind] = data_uri(svg)
            continue
        write_text(path, svg)
        drawn[kind] = path.name
        paths.append(path)
    report = folder / f"{name}.md"
    text = render_markdown(build_report(analysis, comparison, drawn))
    write_text(report, text)
    return Written(name=analysis.run.name, report=report, charts=tuple(paths)), text


def drawings(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """(kind, SVG) of each chart that the run has the data for."""
    from runreport.report.charts import history_chart, predictions_chart, to_svg

    for kind, draw in (("history", history_chart), ("predictions", predictions_chart)):
        chart = draw(analysis)
        if chart is not None:
            yield kind, to_svg(chart)


def page_charts(analysis: Analysis) -> dict[str, ChartGroup]:
    """Kind -> the page's charts of it, for each that the run has the data for."""
    from runreport.report.interactive.by_epoch import by_epoch_group
    from runreport.report.interactive.epochs import epoch_group
    from runreport.report.interactive.samples import sample_group

    made = {
        "history": epoch_group(analysis),
        "by_epoch": by_epoch_group(analysis),
        "predictions": sample_group(analysis),
    }
    return {kind: group for kind, group in made.items() if group is not None}


def data_uri(svg: str) -> str:
    """An SVG as an address that is the image itself."""
    return DATA_URI + base64.b64encode(svg.encode()).decode()
