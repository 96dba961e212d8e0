"""One HTML file that needs nothing else: style, script, charts and data inside. Same analysis, same bytes.

Two walls keep text from logs from becoming markup. Every value is escaped unless a filter of this file made it markup
(``autoescape`` by extension does not know ``*.html.j2``, so it is on for all). And the page's own policy names its two
scripts by their hashes and forbids every address: what slipped through could neither run nor fetch.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from runreport.artifacts.kept import kept_text
from runreport.marks import CODE, CODE_END, MARKS, STRONG, STRONG_END, plain
from runreport.report.markdown import templates_folder
from runreport.report.model import Block, ChartGroup, Fold, ReportModel

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_STRONG = re.compile(f"{STRONG}([^{STRONG_END}]*){STRONG_END}")
_SPAN = re.compile(f"{CODE}([^{CODE_END}]*){CODE_END}")
_WHOLE = re.compile(r"\[-?[\d.]+(?: %)?, -?[\d.]+(?: %)?\]|(?<![\w.])-?\d(?:\.\d+)?e[-+]\d+(?!\w)")
"""Intervals and powers of ten: a line must not end inside one."""
_UNIT = re.compile(r"(?<=\d) %")
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; img-src data:; base-uri 'none'; form-action 'none'"
"""Content security policy: no address of any kind, and of scripts only ours. Styles are inline because charts set them."""


def printable(text: str) -> str:
    """The text without what drives a terminal, breaks a line or no browser shows; our marks stay."""
    return "".join(c if c.isprintable() or c in MARKS else " " for c in text).strip()


def rich(text: str) -> Markup:
    """Plain text (with our marks) as HTML that reads as that text.

    >>> from runreport.marks import code, strong
    >>> print(rich(strong("a<b") + " " + code("x&y")))
    <strong>a&lt;b</strong> <code>x&amp;y</code>
    """
    from markupsafe import Markup, escape

    safe = str(escape(printable(text)))
    safe = _STRONG.sub(lambda m: f"<strong>{m[1]}</strong>" if m[1].strip() else m[1], safe)
    safe = _SPAN.sub(lambda m: f"<code>{m[1]}</code>" if m[1].strip() else m[1], safe)
    safe = _UNIT.sub("\u00a0%", _WHOLE.sub(r'<span class="whole">\g<0></span>', safe))
    return Markup(plain(safe))


def script_json(value: object) -> Markup:
    """A value as JSON inside a script element: no text in it can close the element or open a comment.

    >>> print(script_json({"name": "</script><!--"}))
    {"name":"\\u003c/script\\u003e\\u003c!--"}
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def short_title(title: str) -> str:
    """A section's title in the list of sections: what stands before its colon.

    >>> short_title("Early stopping: was the right epoch saved?")
    'Early stopping'
    """
    return title.partition(":")[0]


def group_data(group: ChartGroup) -> dict[str, object]:
    """What the page's script needs of a group."""
    return {
        "controls": group.controls,
        "state": group.state,
        "keys": [entry.key for entry in group.legend if entry.key],
        "charts": [{"id": chart.id, "spec": chart.spec} for chart in group.charts],
    }


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that sets ``window.vegaEmbed``; some 0.9 MB, which take 2 s to make and
    follow from the version alone."""
    import vl_convert

    def made() -> str:
        code: str = vl_convert.javascript_bundle(snippet="window.vegaEmbed = vegaEmbed;")
        return code

    code = kept_text(f"vega-{version('vl-convert-python')}.js", made)
    if "</script" in code.lower() or "<!--" in code:
        raise ValueError("the charts' script holds what would close its element")
    return code.strip()


def script_hash(code: str) -> str:
    """A script's name in the page's policy."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() + "'"


@cache
def environment() -> Environment:
    """The template environment: undefined names are errors, every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def source(name: str) -> Markup:
        return Markup(asset(name))

    env = Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters |= {"rich": rich, "plain": lambda text: printable(plain(text)), "script_json": script_json}
    env.filters["drawing"] = Markup  # an SVG of our own renderer, which escapes the text in it
    env.filters["lines"] = lambda text: "\n".join(printable(plain(line)) for line in text.splitlines())
    env.filters |= {"short": short_title, "group_data": group_data}
    env.globals["asset"] = source
    return env


@cache
def asset(name: str) -> str:
    """A script or style sheet of the templates folder."""
    return (templates_folder() / name).read_text(encoding="utf-8").strip()


def chart_groups(blocks: Iterable[Block]) -> Iterator[ChartGroup]:
    """Every group of charts, also inside folds."""
    for block in blocks:
        if isinstance(block, ChartGroup):
            yield block
        elif isinstance(block, Fold):
            yield from chart_groups(block.blocks)


def render_html(report: ReportModel) -> str:
    """The report as one HTML document; the charts' library is in it only where there are charts."""
    from markupsafe import Markup

    groups = [g for section in report.sections for g in chart_groups(section.blocks)]
    scripts = {"page": asset("page.js")} | ({"vega": vega_bundle()} if groups else {})
    headline = report.title
    if report.subject:  # what follows the run's name is a sentence of ours, so it may begin with a capital
        headline = headline.removeprefix(f"{report.subject}: ")
        headline = headline[:1].upper() + headline[1:]
    context: Mapping[str, object] = {
        "report": report,
        "headline": headline,
        "groups": groups,
        "scripts": {name: Markup(code) for name, code in scripts.items()},
        # The quotes are the policy's own; nothing in it comes from a log.
        "policy": Markup(POLICY.format(scripts=" ".join(script_hash(code) for code in scripts.values()))),
    }
    # Not tidied afterwards: a script's name in the policy is the hash of its very bytes.
    return environment().get_template("report.html.j2").render(context).strip() + "\n"
