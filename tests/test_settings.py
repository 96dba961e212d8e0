"""Settings from TOML: what they change, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.rules.registry import all_rules
from runreport.settings import Settings, find_settings, read_settings


def write(folder: Path, text: str, name: str = "runreport.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_thresholds_disabled_rules_group_and_seed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'disable = ["range.unreached"]\ngroup = "patient_id"\nseed = 3\n[thresholds."collapse.onset"]\narmed = 0.5\n',
    )
    settings = read_settings(path)
    assert settings.disabled == {"range.unreached"}
    assert settings.thresholds == {"collapse.onset": {"armed": 0.5}}
    assert (settings.group, settings.seed, settings.source) == ("patient_id", 3, path)


def test_pyproject_counts_only_with_our_table(tmp_path: Path) -> None:
    project = write(tmp_path, "[tool.other]\nx = 1\n", "pyproject.toml")
    assert find_settings(tmp_path) is None
    project.write_text("[tool.runreport]\nseed = 5\n", encoding="utf-8")
    assert find_settings(tmp_path) == project
    assert read_settings(project).seed == 5
    for odd in ("tool = 3\n", "[tool]\nother = 1\n"):
        project.write_text(odd, encoding="utf-8")
        assert find_settings(tmp_path) is None
    project.write_text("[tool]\nrunreport = 3\n", encoding="utf-8")
    with pytest.raises(InputError, match="a table"):
        read_settings(project)
    own = write(tmp_path, "seed = 6\n")
    assert find_settings(tmp_path) == own


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("disabled = []", "'disable'"),
        ('disable = ["collapse.onst"]', "'collapse.onset'"),
        ('disable = "collapse.onset"', "a list of rule ids"),
        ('[thresholds."collapse.onset"]\narmd = 0.5', "'armed'"),
        ('[thresholds."collapse.onset"]\narmed = "high"', "a number"),
        ('[thresholds."collapse.onset"]\narmed = true', "a number"),
        ('[thresholds]\n"collapse.onset" = 1', "name = number pairs"),
        ("disable = [[1]]", "a list of rule ids"),
        ('[thresholds."collapse.onset"]\narmed = nan', "a number"),
        ("seed = -1", "a whole number"),
        ("group = 3", "a column name"),
        ("seed = ", "a TOML file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_settings(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_every_threshold_can_be_set(tmp_path: Path) -> None:
    lines = []
    for rule in all_rules():
        if rule.thresholds:
            lines.append(f'[thresholds."{rule.id}"]')
            lines += [f"{t.name} = {t.default!r}" for t in rule.thresholds]
    settings = read_settings(write(tmp_path, "\n".join(lines)))
    assert {rule.id for rule in all_rules() if rule.thresholds} == set(settings.thresholds)


def test_the_default_changes_nothing() -> None:
    settings = Settings()
    assert (settings.thresholds, settings.disabled, settings.group) == ({}, frozenset(), None)
