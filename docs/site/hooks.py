"""Puts the reports of this repository into the site as its gallery, so that what is shown is what the code writes."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent
REPORTS = {
    "healthy": "reports/healthy.md",
    "run2": "reports/run2.md",
    "published-run4": "reports/published/run4.md",
    "run5a": "reports/run5a.md",
    "run4": "reports/run4.md",
    "run4_improved": "reports/run4_improved/story.md",
    "lambda_sweep": "reports/lambda_sweep/comparison.md",
    "diabetes": "reports/diabetes/diabetes.md",
}
"""Page of the gallery -> report."""
IMAGE = re.compile(r"!\[(?P<alt>(?:[^\]\\]|\\.)*)\]\((?P<file>[\w./-]+\.svg)\)")
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<file>[\w./-]+\.md)\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Links to reports, which a reader of the repository can follow, as links to their pages in the gallery."""
    for name, source in REPORTS.items():
        markdown = markdown.replace(f"](../{source})", f"](gallery/{name}.md)")
    return markdown


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds each report, its images beside it, and takes out links to reports that are not in the gallery."""
    for name, source in REPORTS.items():
        path = ROOT / source
        text = path.read_text(encoding="utf-8")
        for image in IMAGE.finditer(text):
            target = f"gallery/{name}/{image['file']}"
            if files.get_file_from_path(target) is None:
                files.append(File.generated(config, target, abs_src_path=str(path.parent / image["file"])))
        shown = IMAGE.sub(rf"![\g<alt>]({name}/\g<file>)", text)
        shown = LINK.sub(r"\g<text>", shown)
        files.append(File.generated(config, f"gallery/{name}.md", content=shown))
    return files
