"""Text from logs stays text: rendered, it reads as it was, and opens no markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runreport.marks import clean, code, plain, strong
from runreport.report.markdown import render_markdown
from runreport.report.model import Block, Bullets, Figure, Paragraph, ReportModel, Section, Table, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "**bold**",
    "__bold__",
    "_x_ y_z *a*",
    "`code` ``a`b``",
    "<script>alert(1)</script>",
    "<!-- comment",
    "<https://a.example>",
    "a](b) [link](http://a.example) ![img](x)",
    "[link][ref]",
    "[ref]: http://a.example",
    "[x] done",
    "[^1] note",
    "[^1]: note",
    "# heading",
    "###### heading",
    "## ",
    "#",
    "> quote",
    ">quote",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "1) item",
    "123456789. item",
    "---",
    "- - -",
    "===",
    "***",
    "~~~",
    "~~gone~~",
    "```",
    "    indented",
    "\tindented",
    "| a | b |",
    "|---|",
    "a|b\\|c\\\\|d",
    "\\",
    "ends with \\",
    "a\\*b",
    "&amp; &lt;b&gt; &#60; &copy",
    "$x^2$ $$y$$",
    "line one\nline two",
    "para\n\n# heading",
    "a\r\nb\x0bc\x0cd\x85e\u2028f\u2029g",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\u202eevil\u202c",
    "\ue000forged\ue001 \ue002mark\ue003",
    "\x00",
    "snake_case_name and 2*3*4 and 5 * 6",
    "[0.1, 0.2] (x)",
    "run]",
    "![",
    "a ] b [ c",
    "http://a.example/x_y_z",
    "{{ report }} {% for x in y %}",
    "é ² μ 名前 🙂",
    "trailing spaces  ",
    "!\\[a](b)",
    "`",
    " ` ",
    "a`",
    "- ",
    "1.",
    "+",
    "=",
    "|",
    ":---",
)
NASTY = st.text(alphabet="ab1 .-+*_`~#>|[](){}<>!\\&;:=$^\"'/\n\t\x1b\ue000\ue002\ud7ff²", max_size=14)


def model(*blocks: Block, title: str = "title", facts: tuple[str, ...] = ("fact",)) -> ReportModel:
    section = Section(id="s", title=title, blocks=blocks)
    return ReportModel(title=title, facts=facts, sections=(section,), footer=title)


def inline(tokens: Iterable[Token]) -> list[Token]:
    return [child for token in tokens if token.type == "inline" for child in token.children or []]


def words(text: str) -> str:
    """Text as compared: white space is not told apart, as no renderer tells it."""
    return " ".join(text.split())


def shown(token: Token) -> str:
    """What a reader sees of an inline token's children."""
    parts = []
    for child in token.children or []:
        parts.append(" " if child.type in ("softbreak", "hardbreak") else child.content)
    return words("".join(parts))


ALLOWED_INLINE = {"text", "text_special", "softbreak"}


def assert_reads_as(
    text: str, report: ReportModel, times: int, *, allowed: frozenset[str] = frozenset()
) -> list[Token]:
    """The text stands ``times`` times in the parsed report, and no markup came of it."""
    tokens = PARSER.parse(render_markdown(report))
    opened = {child.type for child in inline(tokens)} - ALLOWED_INLINE - allowed
    assert opened == set(), f"{text!r} opened {opened}"
    assert not {t.type for t in tokens} & {"html_block", "code_block", "blockquote_open"}, f"{text!r}"
    found = [shown(t) for t in tokens if t.type == "inline"]
    expected = words(text)
    if expected:
        assert found.count(expected) == times, f"{expected!r} not {times} times in {found!r}"
    return tokens


def heading_count(tokens: Iterable[Token]) -> int:
    return sum(t.type == "heading_open" for t in tokens)


def check_everywhere(name: str) -> None:
    text = clean(name)
    tokens = assert_reads_as(text, model(Paragraph(text=text)), 1)
    assert heading_count(tokens) == 2  # the report's and the section's
    tokens = assert_reads_as(text, model(Bullets(items=(text, "next"))), 1)
    assert sum(t.type == "list_item_open" for t in tokens) == 2
    tokens = assert_reads_as(text, model(Bullets(items=(text, "next"), numbered=True)), 1)
    assert sum(t.type == "list_item_open" for t in tokens) == 2
    tokens = assert_reads_as(text, model(table([text, "other"], [["left", text], [text, "right"]])), 3)
    assert sum(t.type == "tr_open" for t in tokens) == 3
    assert sum(t.type in ("td_open", "th_open") for t in tokens) == 6
    if text.strip():
        tokens = assert_reads_as(text, model(title=text, facts=(text,)), 4)
        assert heading_count(tokens) == 2
        assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1", "h2"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_reads_as_itself_everywhere(name: str) -> None:
    check_everywhere(name)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(NASTY)
@example("a\\")
@example("[a]:b")
def test_any_text_reads_as_itself_everywhere(name: str) -> None:
    check_everywhere(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_as_code(name: str) -> None:
    for block in (Paragraph(text=f"Read {code(name)} here"), table(["a"], [[f"Read {code(name)} here"]])):
        tokens = PARSER.parse(render_markdown(model(block)))
        children = inline(tokens)
        assert {c.type for c in children} <= ALLOWED_INLINE | {"code_inline"}
        spans = [c.content for c in children if c.type == "code_inline"]
        expected = words(clean(name))
        assert [words(s) for s in spans] == ([expected] if expected else [])


@settings(deadline=None, max_examples=300, derandomize=True)
@given(NASTY, NASTY)
def test_any_two_names_as_code_in_a_table(first: str, second: str) -> None:
    tokens = PARSER.parse(render_markdown(model(table(["k", "v"], [[code(first), code(second)]]))))
    spans = [words(c.content) for c in inline(tokens) if c.type == "code_inline"]
    assert spans == [w for w in (words(clean(first)), words(clean(second))) if w]


def test_our_own_marks_become_markup_and_nothing_else_does() -> None:
    text = f"{strong('now')} {clean('**x**')} {code('a_b')}"
    tokens = PARSER.parse(render_markdown(model(Paragraph(text=text))))
    (paragraph,) = [t for t in tokens if t.type == "inline" and "now" in t.content]
    assert shown(paragraph) == "now **x** a_b" == plain(text)
    assert [c.type for c in paragraph.children or [] if c.type not in ALLOWED_INLINE] == [
        "strong_open",
        "strong_close",
        "code_inline",
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_inside_strong(name: str) -> None:
    text = f"The run {strong(clean(name))} is best"
    tokens = PARSER.parse(render_markdown(model(Paragraph(text=text))))
    children = inline(tokens)
    assert {c.type for c in children} <= ALLOWED_INLINE | {"strong_open", "strong_close"}
    assert words("The run " + clean(name) + " is best") in [shown(t) for t in tokens if t.type == "inline"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_alternative_text(name: str) -> None:
    report = model(Figure(file="run.history.svg", alt=clean(name) or "x"))
    images = [c for c in inline(PARSER.parse(render_markdown(report))) if c.type == "image"]
    assert [image.attrs["src"] for image in images] == ["run.history.svg"]
    assert words("".join(c.content for c in images[0].children or [])) == words(clean(name) or "x")


@pytest.mark.parametrize("file", ["a b.svg", "a)b.svg", "ä.svg", "a#b?.svg", "<x>.svg", "100%.svg"])
def test_the_file_of_a_figure(file: str) -> None:
    from urllib.parse import unquote

    images = [c for c in inline(PARSER.parse(render_markdown(model(Figure(file=file, alt="x"))))) if c.type == "image"]
    assert [unquote(str(image.attrs["src"])) for image in images] == [file]


@pytest.mark.parametrize("text", ["a: 1", "```\n# heading", "~~~\n<b>", "````"])
def test_preformatted_text_cannot_leave_its_fence(text: str) -> None:
    from runreport.report.model import Listing

    report = model(Listing(text=text, language="yaml"), Paragraph(text="after"))
    tokens = PARSER.parse(render_markdown(report))
    assert [t.content for t in tokens if t.type == "fence"] == [text + "\n"]
    assert heading_count(tokens) == 2
    assert "after" in [shown(t) for t in tokens if t.type == "inline"]


def test_cleaning_leaves_one_printable_line() -> None:
    for name in HOSTILE:
        assert clean(name).isprintable()
        assert not re.search(r"[\ue000-\ue003]", clean(name))


def test_a_table_with_a_row_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="another number of cells"):
        Table(header=("a", "b"), rows=(("1",),), align=("left", "right"))
