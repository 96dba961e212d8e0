"""What fails a run, what cannot be judged, and which code wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runreport.analysis.record import Analysis
from runreport.criteria.spec import Tier
from runreport.errors import InputError
from runreport.findings import Severity
from runreport.gate.judge import Gate, chosen_tiers, judge_run, unreadable
from runreport.gate.record import Check, Code, Status, Verdict, overall

Made = Callable[..., Path]
Analysed = Callable[..., Analysis]
MakeTier = Callable[..., Tier]


def ids(verdict: Verdict, status: Status) -> list[str]:
    return [c.id for c in verdict.having(status)]


def test_a_sound_run_passes_and_a_shifted_one_fails(made: Made, analysed: Analysed) -> None:
    sound = judge_run(analysed(made("sound")), Gate())
    assert sound.code is Code.PASSED
    assert len(sound.having(Status.PASSED)) > 20
    shifted = judge_run(analysed(made("shifted", shift=3.0)), Gate())
    assert shifted.code is Code.FAILED
    assert "bias.dominates" in ids(shifted, Status.FAILED)
    assert all(c.severity is Severity.CRITICAL for c in shifted.having(Status.FAILED))


def test_the_asked_severity_decides(made: Made, analysed: Analysed) -> None:
    analysis = analysed(made("few", n=12))
    worst = analysis.worst
    assert worst is Severity.INFO
    assert judge_run(analysis, Gate(fail_on=Severity.WARNING)).code is Code.PASSED
    strict = judge_run(analysis, Gate(fail_on=Severity.INFO))
    assert strict.code is Code.FAILED
    assert set(ids(strict, Status.FAILED)) == {f.rule for f in analysis.findings}


def test_every_rule_is_in_the_verdict_once_or_more(made: Made, analysed: Analysed) -> None:
    analysis = analysed(made("sound"))
    verdict = judge_run(analysis, Gate())
    expected = {f.rule for f in analysis.findings} | set(analysis.clear) | {n.rule for n in analysis.not_checked}
    assert {c.id for c in verdict.checks} == expected
    assert set(ids(verdict, Status.SKIPPED)) == {n.rule for n in analysis.not_checked}


def test_criteria_fail_pass_or_cannot_be_told(made: Made, analysed: Analysed, tier: MakeTier) -> None:
    tiers = (tier("low", "r2 > 0.5"), tier("high", "r2 > 0.99"), tier("lost", "mape < 3"))
    analysis = analysed(made("sound"), tiers)
    analysis = replace(
        analysis,
        criteria=tuple(
            replace(j, value=None, verdict="cannot tell", reason="no final mape") if j.tier == "lost" else j
            for j in analysis.criteria
        ),
    )
    assert judge_run(analysis, Gate()).code is Code.PASSED  # nobody asked for criteria
    assert judge_run(analysis, Gate(tiers=("low",))).code is Code.PASSED
    failed = judge_run(analysis, Gate(tiers=("low", "high")))
    assert failed.code is Code.FAILED
    assert ids(failed, Status.FAILED) == ["criteria.high"]
    assert "r2 > 0.99: not met" in failed.having(Status.FAILED)[0].message
    unknown = judge_run(analysis, Gate(tiers=("low", "lost")))
    assert unknown.code is Code.UNKNOWN
    assert "no final mape" in unknown.having(Status.UNKNOWN)[0].message
    # What is certain stays so, whatever the other would say.
    assert judge_run(analysis, Gate(tiers=("high", "lost"))).code is Code.FAILED


def test_tiers_that_do_not_exist_are_refused() -> None:
    assert chosen_tiers(["a", "b"], []) == ("a", "b")
    assert chosen_tiers(["a", "b"], ["b", "b"]) == ("b",)
    with pytest.raises(InputError, match="'minimum'"):
        chosen_tiers(["minimum"], ["minimun"])


def test_worse_than_the_baseline_only_beyond_noise(made: Made, analysed: Analysed) -> None:
    baseline = analysed(made("before"))
    same = judge_run(analysed(made("same", seed=2)), Gate(baseline=baseline))
    assert same.code is Code.PASSED
    assert same.beside is not None
    assert [c.told for c in same.beside.changes] == [False, False, False]
    assert "four times in five" in same.having(Status.PASSED)[-1].message
    worse = judge_run(analysed(made("worse", noise=1.2, seed=3)), Gate(baseline=baseline))
    assert ids(worse, Status.FAILED) == ["baseline.r2", "baseline.pearson_r", "baseline.mae"]
    better = judge_run(baseline, Gate(baseline=analysed(made("worse", noise=1.2, seed=3))))
    assert better.code is Code.PASSED
    assert better.beside is not None
    assert all(c.told for c in better.beside.changes)
    assert sum("better than worse beyond noise" in c.message for c in better.checks) == 3


def test_a_finding_of_the_baseline_stops_nothing_and_a_new_one_does(made: Made, analysed: Analysed) -> None:
    sound, shifted = analysed(made("sound")), analysed(made("shifted", shift=3.0))
    known = judge_run(analysed(made("again", shift=3.0, seed=2)), Gate(baseline=shifted))
    assert known.code is Code.PASSED
    assert {c.state for c in known.checks if c.id == "bias.dominates"} == {"unchanged"}
    fresh = judge_run(shifted, Gate(baseline=sound))
    assert {c.state for c in fresh.checks if c.id == "bias.dominates"} == {"new"}
    assert "bias.dominates" in ids(fresh, Status.FAILED)
    mended = judge_run(sound, Gate(baseline=shifted))
    assert mended.beside is not None
    assert "bias.dominates" in mended.beside.gone


def test_a_finding_that_became_severer_counts(made: Made, analysed: Analysed) -> None:
    shifted = analysed(made("shifted", shift=3.0))
    milder = replace(shifted, findings=tuple(replace(f, severity=Severity.INFO) for f in shifted.findings))
    other = analysed(made("other", shift=3.0, seed=2))
    verdict = judge_run(other, Gate(baseline=milder))
    assert {c.state for c in verdict.having(Status.FAILED) if c.kind == "rule"} == {"worse"}


def test_a_rule_that_lost_its_data_is_not_gone(made: Made, analysed: Analysed) -> None:
    shifted = analysed(made("shifted", shift=3.0))
    blind = analysed(made("blind"))
    blind = replace(blind, clear=tuple(r for r in blind.clear if r != "bias.dominates"))
    verdict = judge_run(blind, Gate(baseline=shifted))
    assert verdict.beside is not None
    assert "bias.dominates" not in verdict.beside.gone


def test_other_samples_cannot_be_judged_against_a_baseline(made: Made, analysed: Analysed) -> None:
    baseline = analysed(made("before"))
    verdict = judge_run(analysed(made("other", n=100)), Gate(baseline=baseline))
    assert verdict.code is Code.UNKNOWN
    assert "240 samples and other on 100" in verdict.having(Status.UNKNOWN)[0].message
    bare = judge_run(analysed(made("bare", predictions=False)), Gate(baseline=baseline))
    assert bare.code is Code.UNKNOWN
    assert "no predictions" in bare.having(Status.UNKNOWN)[0].message


def test_runs_of_one_name_are_kept_apart_and_none_is_its_own_baseline(made: Made, analysed: Analysed) -> None:
    now, before = made("now/run"), made("before/run", noise=1.2, seed=3)
    verdict = judge_run(analysed(now), Gate(baseline=analysed(before)))
    assert verdict.beside is not None
    assert [c.told for c in verdict.beside.changes] == [True, True, True]
    assert judge_run(analysed(now), Gate(baseline=analysed(now))).beside is None


def test_a_run_of_which_nothing_can_be_judged(made: Made, analysed: Analysed) -> None:
    analysis = analysed(made("sound"))
    blind = replace(analysis, findings=(), clear=())
    verdict = judge_run(blind, Gate())
    assert verdict.code is Code.UNKNOWN
    assert ids(verdict, Status.UNKNOWN) == ["runreport.judged"]


def test_the_line_of_a_finding_is_the_line_of_its_epoch(made: Made, analysed: Analysed) -> None:
    path = made("shifted", shift=3.0)
    verdict = judge_run(analysed(path), Gate())
    placed = [c for c in verdict.checks if c.line is not None]
    assert placed
    lines = path.read_text().splitlines()
    analysis = analysed(path)
    for check in placed:
        assert check.path == Path("shifted.csv")
        epochs = {f.epoch for f in analysis.findings if f.rule == check.id}
        assert float(lines[(check.line or 0) - 1].split(",")[0]) in epochs


def test_the_worst_code_wins() -> None:
    def verdict(*statuses: Status) -> Verdict:
        checks = tuple(Check(kind="rule", id="a", status=s, message="") for s in statuses)
        return Verdict(name="a", title="", checks=checks)

    passed, failed = verdict(Status.PASSED, Status.SKIPPED), verdict(Status.FAILED, Status.UNKNOWN)
    unknown = unreadable(InputError("a.csv", found="an empty file"))
    assert [v.code for v in (passed, failed, unknown)] == [Code.PASSED, Code.FAILED, Code.UNKNOWN]
    assert overall([passed, passed]) is Code.PASSED
    assert overall([passed, failed]) is Code.FAILED
    assert overall([passed, failed, unknown]) is Code.UNKNOWN
    assert overall([]) is Code.UNKNOWN
