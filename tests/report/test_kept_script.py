"""The charts' script is made once a version, not once a call, and a page is the same either way."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
import vl_convert

from runreport.artifacts.kept import VARIABLE, kept_text
from runreport.report.html import vega_bundle


def never() -> str:
    raise AssertionError("made again")


def test_a_text_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    assert kept_text("a.js", lambda: "α\r\n") == "α\r\n"
    assert kept_text("a.js", never) == "α\r\n"
    assert kept_text("b.js", lambda: "b") == "b"


@pytest.mark.parametrize("damage", [b"", b"alert(1)", b"\xff\n\xff", None])
def test_a_damaged_text_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    kept_text("a.js", lambda: "right")
    whole = (tmp_path / "a.js").read_bytes()
    (tmp_path / "a.js").write_bytes(whole[:-1] if damage is None else damage)
    assert kept_text("a.js", lambda: "right") == "right"
    assert (tmp_path / "a.js").read_bytes() == whole


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "taken"))
    assert [kept_text("a.js", lambda: "right") for _ in range(2)] == ["right", "right"]
    assert (tmp_path / "taken").read_text() == "a file"


def test_the_kept_script_is_the_librarys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    vega_bundle.cache_clear()
    made = vega_bundle()
    assert [path.name for path in tmp_path.iterdir()] == [f"vega-{version('vl-convert-python')}.js"]
    monkeypatch.setattr(vl_convert, "javascript_bundle", never)
    vega_bundle.cache_clear()
    assert vega_bundle() == made
