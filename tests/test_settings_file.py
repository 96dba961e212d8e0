"""The settings file that ``init`` writes: all there is, at its default, and read as that."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

from runreport.rules.registry import all_rules
from runreport.settings import KEYS, Settings, read_settings
from runreport.settings_file import WIDTH, settings_text


def uncommented() -> str:
    return "\n".join(line.removeprefix("#: ") for line in settings_text(all_rules()).splitlines())


def test_as_it_stands_it_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runreport.toml"
    path.write_text(settings_text(all_rules()), encoding="utf-8")
    assert read_settings(path) == Settings(source=path)


def test_every_setting_is_in_it_at_its_default(tmp_path: Path) -> None:
    path = tmp_path / "runreport.toml"
    path.write_text(uncommented(), encoding="utf-8")
    assert set(tomllib.loads(path.read_text(encoding="utf-8"))) == set(KEYS)
    settings, default = read_settings(path), Settings()
    assert (settings.disabled, settings.seed) == (default.disabled, default.seed)
    assert settings.thresholds == {r.id: {t.name: t.default for t in r.thresholds} for r in all_rules() if r.thresholds}


def test_every_field_of_the_settings_can_be_set() -> None:
    names = {"disabled": "disable"}
    assert {names.get(f.name, f.name) for f in fields(Settings)} - {"source"} == set(KEYS)


def test_every_threshold_has_its_reason_beside_it() -> None:
    text = " ".join(line.removeprefix("# ") for line in settings_text(all_rules()).splitlines())
    for rule in all_rules():
        for threshold in rule.thresholds:
            assert " ".join(threshold.reason.split()) in text


def test_lines_fit_a_screen() -> None:
    assert max(map(len, settings_text(all_rules()).splitlines())) <= WIDTH + 10
