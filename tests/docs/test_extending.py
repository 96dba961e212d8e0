"""The worked examples of the docs run as they stand."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_examples_of_extending_run(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = BLOCK.findall((repository / "docs" / "extending.md").read_text(encoding="utf-8"))
    assert len(blocks) == 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks:
        exec(compile(block, "docs/extending.md", "exec"), names)
    assert (tmp_path / "run7.bars").is_file()


def test_the_gallery_names_reports_that_exist(repository: Path) -> None:
    gallery = (repository / "docs" / "gallery.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\(\.\./(reports/[\w/-]+\.md)\)", gallery))
    hook = (repository / "docs" / "site" / "hooks.py").read_text(encoding="utf-8")
    reports = ast.literal_eval(re.search(r"^REPORTS = (\{.*?^\})", hook, re.DOTALL | re.MULTILINE)[1])  # type: ignore[index]
    assert set(reports.values()) == linked
    for source in reports.values():
        assert (repository / source).is_file(), source


def test_what_the_faq_claims_of_the_published_run(repository: Path) -> None:
    r, alpha = 0.125, 0.223
    assert round((alpha - r) ** 2 / 1.0655, 2) == 0.01
    assert 2 * r * 0.7 - 0.7**2 == pytest.approx(-0.32, abs=0.005 + 1e-9)


def test_every_page_is_in_the_navigation(repository: Path) -> None:
    import yaml

    config = yaml.safe_load((repository / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8"))

    def pages(entries: list[object]) -> set[str]:
        found: set[str] = set()
        for entry in entries:
            found |= {entry} if isinstance(entry, str) else pages([p for v in entry.values() for p in v])  # type: ignore[attr-defined]
        return found

    assert pages(config["nav"]) == {path.name for path in (repository / "docs").glob("*.md")}
