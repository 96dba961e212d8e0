"""Criteria as people write them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from runreport.criteria.spec import default_tiers, parse_criterion, read_tiers
from runreport.errors import InputError
from runreport.metrics.expressions import metrics_of


@pytest.mark.parametrize(
    ("text", "metric", "operator", "bound", "over_training"),
    [
        ("r2 > 0", "r2", ">", 0.0, False),
        ("r2>-0.04", "r2", ">", -0.04, False),
        ("  mae <= 1.5e-2  ", "mae", "<=", 0.015, False),
        ("variance_ratio > 40%", "variance_ratio", ">", 0.4, False),
        ("variance_ratio > 40 %", "variance_ratio", ">", 0.4, False),
        ("variance_ratio over training > 0.35", "variance_ratio", ">", 0.35, True),
        ("variance_ratio_min_over_training > 0.35", "variance_ratio", ">", 0.35, True),
        ("val_loss_max_over_training < 3", "val_loss", "<", 3.0, True),
        ("pred_spread >= .5", "pred_spread", ">=", 0.5, False),
        ("rmse < +2", "rmse", "<", 2.0, False),
    ],
)
def test_a_condition(text: str, metric: str, operator: str, bound: float, over_training: bool) -> None:
    criterion = parse_criterion(text)
    assert criterion is not None
    assert (criterion.metric, criterion.operator, criterion.over_training) == (metric, operator, over_training)
    assert criterion.bound == pytest.approx(bound, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "r2",
        "r2 > ",
        "> 0",
        "r2 = 0",
        "r2 == 0",
        "r2 > x",
        "r2 > 1.2.3",
        "r2 > nan",
        "r2 > inf",
        "r2 > 1e999",
        "r2 > 0 or 1",
        "r² > 0",
    ],
)
def test_what_is_no_condition(text: str) -> None:
    assert parse_criterion(text) is None


@pytest.mark.parametrize(
    ("text", "below", "at", "above"),
    [
        ("r2 > 0.5", False, False, True),
        ("r2 >= 0.5", False, True, True),
        ("r2 < 0.5", True, False, False),
        ("r2 <= 0.5", True, True, False),
    ],
)
def test_operators(text: str, below: bool, at: bool, above: bool) -> None:
    criterion = parse_criterion(text)
    assert criterion is not None
    assert [criterion.holds(v) for v in (0.4, 0.5, 0.6)] == [below, at, above]


def test_the_text_of_a_condition_reads_back_as_itself() -> None:
    for text in ("r2 > -0.04", "variance_ratio over training > 0.35", "mae <= 0.001"):
        criterion = parse_criterion(text)
        assert criterion is not None
        assert criterion.text == text
        assert parse_criterion(criterion.text) == criterion


def test_the_default_tiers_are_the_published_ones() -> None:
    texts = {tier.name: [c.text for c in tier.criteria] for tier in default_tiers()}
    assert texts == {
        "minimum": ["variance_ratio > 0.4", "variance_ratio over training > 0.35", "r2 > -0.04", "pred_spread > 0.5"],
        "good": ["variance_ratio > 0.6", "r2 > 0", "pred_spread > 1"],
        "excellent": ["variance_ratio > 0.8", "r2 > 0.3"],
    }


def test_both_forms_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "criteria.yaml"
    path.write_text("tiers:\n  ship:\n    - r2 > 0.2\n    - mae < 1\n  1:\n    r2: '>= 50 %'\n")
    ship, one = read_tiers(path)
    assert (ship.name, [c.text for c in ship.criteria]) == ("ship", ["r2 > 0.2", "mae < 1"])
    assert (one.name, [c.text for c in one.criteria]) == ("1", ["r2 >= 0.5"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no tiers"),
        (b"tiers:", "no tiers"),
        (b"tiers: []", "no tiers"),
        (b"- r2 > 0", "no tiers"),
        (b"tiers: {a: }", "no conditions in tier 'a'"),
        (b"tiers: {a: []}", "no conditions in tier 'a'"),
        (b"tiers: {a: r2 > 0}", "no conditions in tier 'a'"),
        (b"tiers: {a: [3]}", "3 in tier 'a'; expected a condition such as 'r2 > 0'"),
        (b"tiers: {a: [make it good]}", "'make it good' in tier 'a'"),
        (b"tiers: {a: [r2 > 0", "not YAML at line"),
        (b"tiers: {a: [\xff]}", "cannot be read"),
        (b"tiers: {a: !!python/object/apply:os.system [ls]}", "not YAML"),
        (b"{" * 50_000, "not YAML"),
        (b"tiers: {a: [r2 > \x00]}", "not YAML"),
        (b"#" * 1_000_001, "a file over 1 MB"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "criteria.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_tiers(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: {said}")
    assert text.isprintable()


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_tiers(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_tiers(tmp_path)


def test_the_page_shows_the_default_tiers(repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "criteria.md").read_text(encoding="utf-8")
    block = page.split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "tiers.yaml"
    path.write_text(block, encoding="utf-8")
    assert read_tiers(path) == default_tiers()


@pytest.mark.parametrize(
    ("condition", "nearest"),
    [("rr2 > 0.2", "'r2'"), ("varianceratio > 0.4", "'variance_ratio'"), ("pearson > 0.3", "'pearson_r'"),
     ("val_los over training < 1", "'val_loss'")],
)  # fmt: skip
def test_a_mistyped_metric_is_refused_with_the_nearest(tmp_path: Path, condition: str, nearest: str) -> None:
    path = tmp_path / "criteria.yaml"
    path.write_text(f"tiers: {{ship: [{condition!r}]}}")
    with pytest.raises(InputError) as caught:
        read_tiers(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: unknown metric {condition.split()[0]!r} in tier 'ship'; expected {nearest}")


def test_every_figure_of_a_report_and_columns_of_ones_own_can_be_asked_for(tmp_path: Path) -> None:
    frame = pl.DataFrame({"y_true": [1.0, 2.0, 3.0], "y_pred": [1.0, 2.0, 2.5]})
    names = [name for name in metrics_of(frame) if name != "n_dropped"]
    path = tmp_path / "criteria.yaml"
    path.write_text(
        "tiers:\n  a:\n" + "".join(f"    - {name} > 0\n" for name in names) + "    - elegance over training > 3\n"
    )
    (tier,) = read_tiers(path)
    assert len(tier.criteria) == len(names) + 1
