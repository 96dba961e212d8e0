"""The improvement loop: what is kept, what is undone, why it ends, and what its story says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from training.cli import main
from training.config import Config
from training.errors import ConfigError
from training.improve import loop
from training.improve.judge import next_advice, refuted, settled_by_pairs
from training.improve.loop import Story, improve
from training.improve.reading import Reading, tier_names
from training.improve.story import story_page


def advice(name: str, patch: Mapping[str, object], *tests: Mapping[str, object]) -> dict[str, Any]:
    return {
        "id": name, "title": f"Do {name}", "because": ["lr.too-low"], "acts_on": "r", "config_patch": dict(patch),
        "refuted_if": "r does not rise", "refutation": list(tests),
    }  # fmt: skip


def reading(
    r: float,
    given: list[dict[str, Any]],
    *,
    found: tuple[str, ...] = (),
    good: str = "not met",
    r2: float | None = None,
) -> Reading:
    final = {"r2": r * r if r2 is None else r2, "pearson_r": r, "variance_ratio": r, "bias": -0.3, "intervals": {}}
    criteria = [{"tier": "minimum", "verdict": "met"}, {"tier": "good", "verdict": good}]
    findings = [{"rule": rule, "severity": "warning"} for rule in found]
    return Reading(run={"n": 144, "final": final, "findings": findings, "criteria": criteria, "advice": given})


RISES = {"metric": "pearson_r", "low": None, "high": 0.3, "absolute": False}


@pytest.mark.parametrize(
    ("test", "seen"),
    [
        ({"metric": "pearson_r", "low": None, "high": 0.5}, True),
        ({"metric": "pearson_r", "low": None, "high": 0.3}, False),
        ({"metric": "pearson_r", "low": 0.3, "high": 0.5}, True),
        ({"metric": "pearson_r", "low": 0.5, "high": None}, False),
        ({"metric": "bias", "low": 0.1, "high": None, "absolute": True}, True),
        ({"metric": "bias", "low": 0.1, "high": None}, False),
        (
            {"metric": "mae", "low": None, "high": 9.0},
            False,
        ),  # not in this run: nothing is refuted by what is not known
        ({"rule": "lr.too-low"}, True),
        ({"rule": "lr.too-high"}, False),
    ],
)
def test_each_kind_of_refutation(test: dict[str, Any], seen: bool) -> None:
    after = reading(0.4, [], found=("lr.too-low",))
    assert bool(refuted(advice("a", {}, test), after)) is seen


@pytest.mark.parametrize(
    ("interval", "seen"),
    [
        ((0.01, 0.3), []),  # R² rose on the same rows: r within the old interval says nothing against that
        ((-0.1, 0.2), ["pearson_r is 0.400, not above 0.500"]),
        (None, ["pearson_r is 0.400, not above 0.500"]),
        ((-0.3, -0.1), ["pearson_r is 0.400, not above 0.500", "R² fell on the same rows: [-0.30, -0.10]"]),
    ],
)
def test_the_paired_difference_is_heard_before_a_figure_within_its_own_noise(
    interval: tuple[float, float] | None, seen: list[str]
) -> None:
    given = advice("a", {}, {"metric": "pearson_r", "low": None, "high": 0.5})
    assert settled_by_pairs(given, reading(0.4, []), {"interval": interval}) == seen


def test_a_fault_that_is_found_again_stands_whatever_the_difference() -> None:
    given = advice("a", {}, {"rule": "lr.too-low"}, {"metric": "pearson_r", "low": None, "high": 0.5})
    after = reading(0.4, [], found=("lr.too-low",))
    assert settled_by_pairs(given, after, {"interval": (0.1, 0.2)}) == ["`lr.too-low` is found again"]


def test_harm_that_the_advice_did_not_name_undoes_it() -> None:
    assert settled_by_pairs(advice("a", {}), reading(0.4, []), {"interval": (-0.3, -0.1)}) == [
        "R² fell on the same rows: [-0.30, -0.10]"
    ]


def test_the_next_advice_has_settings_and_was_not_undone_from_here() -> None:
    look, first, second = advice("look", {}), advice("a", {"learning_rate": 0.01}), advice("b", {"weight_decay": 0.1})
    again = advice("a", {"learning_rate": 0.02})
    assert next_advice(reading(0.1, [look, first, second]), []) == first
    assert next_advice(reading(0.1, [look, first, second]), [first]) == second
    assert next_advice(reading(0.1, [again]), [first]) == again  # the same advice with another value is another change
    assert next_advice(reading(0.1, [look]), []) is None


Read = Callable[..., Reading]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[Story, list[Config]]]:
    """Runs the loop on canned readings, one a round."""

    def with_readings(readings: list[Reading], **options: Any) -> tuple[Story, list[Config]]:
        left, trained = list(readings), []
        monkeypatch.setattr(loop, "read_run", lambda *_, **__: left.pop(0))
        monkeypatch.setattr(loop, "tier_names", lambda _: ["minimum", "good"])
        monkeypatch.setattr(loop, "difference", lambda *_: {"difference": 0.01, "interval": [-0.1, 0.12]})
        story = improve(
            Config(run_name="x"), out=tmp_path, reports=tmp_path / "r", train=lambda c, _: trained.append(c),
            tell=lambda _: None, **({"rounds": 5} | options),
        )  # fmt: skip
        assert not left
        return story, trained

    return with_readings


def test_a_change_that_works_is_kept_and_the_loop_ends_when_the_criteria_are_met(run: Any) -> None:
    first = reading(0.1, [advice("a", {"learning_rate": 0.01}, RISES)])
    story, trained = run([first, reading(0.6, [advice("b", {"weight_decay": 0.1})], good="met")])
    assert [r.kept for r in story.rounds] == [True, True]
    assert [c.learning_rate for c in trained] == [Config().learning_rate, 0.01]
    assert [c.run_name for c in trained] == ["x_round1", "x_round2"]
    assert story.ended_because == "round 2 meets every criterion of the good tier"


def test_a_refuted_change_is_undone_and_the_next_is_made_from_before_it(run: Any) -> None:
    first = reading(0.1, [advice("a", {"learning_rate": 0.01}, RISES), advice("b", {"weight_decay": 0.1}, RISES)])
    story, trained = run([first, reading(0.2, []), reading(0.5, [advice("look", {})])])
    assert [r.kept for r in story.rounds] == [True, False, True]
    assert [r.made_from for r in story.rounds] == [None, 1, 1]
    assert (trained[2].learning_rate, trained[2].weight_decay) == (Config().learning_rate, 0.1)
    assert "no advice in the report of round 3 changes a setting" in story.ended_because
    page = story_page(story)
    assert "That is what happened: pearson_r is 0.200, not above 0.300. The change was undone." in page
    assert "| 2 | round 1 | `learning_rate: 0.01` | 0.04 | 0.20 |" in page
    assert "cannot be told from none" in page


def test_everything_undone_ends_it(run: Any) -> None:
    first = reading(0.1, [advice("a", {"learning_rate": 0.01}, RISES)])
    story, _ = run([first, reading(0.2, [])])
    assert story.ended_because == "what the report of round 1 advises to change was tried and undone"
    assert "no change was kept" in story_page(story)


def test_rounds_are_runs_in_all(run: Any) -> None:
    given = [advice("a", {"learning_rate": 0.01}, {"rule": "lr.too-high"})]
    story, trained = run([reading(0.1, given), reading(0.1, given)], rounds=2)
    assert len(trained) == 2
    assert story.ended_because == "2 rounds were asked for"


def test_without_a_tier_it_goes_on_while_there_is_advice(run: Any) -> None:
    first = reading(0.1, [advice("a", {"learning_rate": 0.01}, RISES)], good="met")
    story, trained = run([first, reading(0.6, [advice("look", {})], good="met")], until="none")
    assert len(trained) == 2
    assert "no advice in the report of round 2 changes a setting" in story.ended_because


def test_a_tier_that_does_not_exist_is_refused(run: Any) -> None:
    with pytest.raises(ConfigError, match=r"--until: found 'best'; expected one of minimum, good, none"):
        run([], until="best")


def test_the_tiers_are_asked_of_runreport(tmp_path: Path) -> None:
    assert tier_names() == ["minimum", "good", "excellent"]
    own = tmp_path / "own.yaml"
    own.write_text("tiers: {enough: [r2 > 0], more: [mae < 1]}")
    assert tier_names(own) == ["enough", "more"]
    own.write_text("tiers: {enough: [rr2 > 0]}")
    with pytest.raises(ConfigError, match=f"^runreport analyze: {own}: unknown metric 'rr2' in tier 'enough'"):
        tier_names(own)


def test_a_setting_that_is_not_ours_is_refused(run: Any) -> None:
    with pytest.raises(ConfigError, match="advice a: unknown key 'lr'"):
        run([reading(0.1, [advice("a", {"lr": 0.01})])])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reports", "FILE/reports"], "FILE/reports: FILE is not a folder; choose another with --reports"),
        (["--out", "FILE"], "FILE: this is not a folder; choose another with --out"),
        (["--criteria", "FILE"], "runreport analyze: FILE: no tiers; expected"),
        (["--until", "best"], "--until: found 'best'; expected one of minimum, good, excellent"),
        (
            ["--out", "EARLIER"],
            "EARLIER/csv/metrics_diabetes_round2.json: run 'diabetes_round2' is already there; use --force to begin anew, "
            "or set run_name",
        ),
        (["--criteria", "none.yaml"], "--criteria: none.yaml: no such file"),
        (["--rounds", "0"], "--rounds: found 0; expected at least 1"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / "taken"
    taken.write_text("")
    earlier = tmp_path / "earlier"
    (earlier / "csv").mkdir(parents=True)
    (earlier / "csv" / "metrics_diabetes_round2.json").write_text("{}")

    def placed(text: str) -> str:
        return text.replace("FILE", str(taken)).replace("EARLIER", str(earlier))

    def begun(*_: object, **__: object) -> None:
        raise AssertionError("a run was begun")

    monkeypatch.setattr("training.run.run_training", begun)
    assert main(["improve", "diabetes", *map(placed, arguments)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {placed(said)}")
    assert not (tmp_path / "reports").exists()
