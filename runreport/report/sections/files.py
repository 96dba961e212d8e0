"""The files a report was computed from."""

from __future__ import annotations

from runreport.marks import clean, code
from runreport.report.model import Block, Bullets, Omitted, Section
from runreport.report.sections.page import Page
from runreport.wording import listing

TITLE = "Files and artifacts"


def build(page: Page) -> Section | Omitted:
    """Each file by kind, what columns were called, and what reading it passed over."""
    run = page.analysis.run
    items = [f"{kind.replace('_', ' ')}: {code(path)}" for kind, path in run.files.items()]
    if run.columns_read:
        pairs = [f"{code(theirs)} as {code(known)}" for known, theirs in run.columns_read.items()]
        items.append(f"Read {listing(pairs)}.")
    items += [
        f"{clean(note.message[0].upper() + note.message[1:])}."
        for note in run.notes
        if not note.code.startswith("log.")
    ]
    if not items:
        return Omitted(title=TITLE, reason="no files")
    blocks: tuple[Block, ...] = (Bullets(items=tuple(items)),)
    return Section(id="files", title=TITLE, blocks=blocks)
