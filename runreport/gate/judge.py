"""From an analysed run to its verdict: findings, criteria, and the change against a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runreport.analysis.record import Analysis
from runreport.criteria.judge import Judgement
from runreport.errors import InputError
from runreport.findings import Finding, Severity
from runreport.gate.baseline import beside, change_checks
from runreport.gate.places import Places, shown_path
from runreport.gate.record import JUDGED, READ, SELF, Check, State, Status, Verdict
from runreport.marks import clean
from runreport.report.headline import headline
from runreport.wording import number, plural

FAIL_ON = Severity.CRITICAL
"""Severity that stops a gate unless told otherwise: a critical finding costs a quarter of the target's variance or makes
the figures worthless. Sound runs have warnings too, and a gate that is always red is switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What is asked of every run.

    tiers
        Names of the criteria's tiers that must be met; empty where no criteria were asked for.
    baseline
        The run that each is compared with; None without one. It is not compared with itself: its own findings are what
        was there before, and stop nothing.
    """

    fail_on: Severity = FAIL_ON
    tiers: tuple[str, ...] = ()
    baseline: Analysis | None = None


def judge_run(analysis: Analysis, gate: Gate) -> Verdict:
    """The verdict on one run."""
    places = Places(analysis.run)
    baseline = gate.baseline
    is_baseline = baseline is not None and is_same(analysis, baseline)
    checks = [_finding_check(f, gate.fail_on, baseline, places) for f in analysis.findings]
    checks += [
        Check(kind="rule", id=rule, status=Status.PASSED, message="Judged; nothing found.") for rule in analysis.clear
    ]
    checks += [
        Check(kind="rule", id=n.rule, status=Status.SKIPPED, message=clean(n.reason)) for n in analysis.not_checked
    ]
    if not analysis.findings and not analysis.clear:
        checks.append(_nothing_judged(analysis))
    checks += [_criterion_check(j) for j in analysis.criteria if j.tier in gate.tiers]
    found = None
    if is_baseline:
        checks.append(_is_the_baseline(checks))
    elif baseline is not None:
        found = beside(baseline, analysis)
        checks += change_checks(found)
    final = analysis.final
    path = shown_path(places.path) if places.path is not None else None
    return Verdict(
        name=analysis.run.name,
        title=headline(analysis).removeprefix(f"{clean(analysis.run.name)}: "),
        checks=tuple(checks),
        path=path,
        r2=final["r2"] if final is not None else None,
        variance_ratio=final["variance_ratio"] if final is not None else None,
        split=final.split if final is not None else None,
        n=final.n if final is not None else None,
        next_step=clean(analysis.advice[0].title) if analysis.advice else None,
        beside=found,
    )


def unreadable(error: InputError) -> Verdict:
    """The verdict on what could not be read or analysed."""
    name = clean(error.where)
    why = clean(str(error)).removeprefix(f"{name}: ")
    check = Check(kind="rule", id=READ, status=Status.UNKNOWN, message=why)
    return Verdict(name=name, title=why, checks=(check,))


def is_same(analysis: Analysis, other: Analysis) -> bool:
    """Whether two analyses are of the same files."""
    ours, theirs = analysis.run, other.run
    if not ours.files or set(ours.files) != set(theirs.files):
        return False
    return all(ours.files[kind].resolve() == theirs.files[kind].resolve() for kind in ours.files)


def _is_the_baseline(checks: Sequence[Check]) -> Check:
    """That the baseline was among the runs, said where its findings would else have no reason to stop nothing."""
    known = sum(c.state is not None and c.severity is not None and c.severity.rank >= 1 for c in checks)
    own = f"; its {plural(known, 'finding')} above information were there before" if known else ""
    message = f"This run is the baseline, and is not judged against itself{own}."
    return Check(kind="baseline", id=SELF, status=Status.PASSED, message=message)


def _nothing_judged(analysis: Analysis) -> Check:
    count = plural(len(analysis.not_checked), "rule")
    why = f": {clean(analysis.not_checked[0].reason)}" if analysis.not_checked else ""
    return Check(
        kind="rule",
        id=JUDGED,
        status=Status.UNKNOWN,
        message=f"None of {count} could be judged{why}.",
    )


def _finding_check(finding: Finding, fail_on: Severity, baseline: Analysis | None, places: Places) -> Check:
    state = _state(finding, baseline) if baseline is not None else None
    # Beside a baseline only what it brings counts: what was there before is shown, and stops nothing.
    counts = finding.severity.rank >= fail_on.rank and state != "unchanged"
    path = shown_path(places.path) if places.path is not None else None
    return Check(
        kind="rule",
        id=finding.rule,
        status=Status.FAILED if counts else Status.PASSED,
        message=clean(finding.message),
        severity=finding.severity,
        state=state,
        path=path,
        line=places.line(finding.epoch),
    )


def _state(finding: Finding, baseline: Analysis) -> State:
    before = max((f.severity.rank for f in baseline.findings if f.rule == finding.rule), default=None)
    if before is None:
        return "new"
    return "worse" if finding.severity.rank > before else "unchanged"


_VERDICTS: Mapping[str, Status] = {
    "met": Status.PASSED,
    "not met": Status.FAILED,
    "cannot tell": Status.UNKNOWN,
}


def _criterion_check(judgement: Judgement) -> Check:
    tier, text = clean(judgement.tier), clean(judgement.criterion.text)
    has = f"the run has {number(judgement.value)}" if judgement.value is not None else "no figure"
    why = f": {clean(judgement.reason)}" if judgement.reason else ""
    noise = ", within noise" if judgement.within_noise else ""
    return Check(
        kind="criterion",
        id=f"criteria.{tier}",
        status=_VERDICTS[judgement.verdict],
        message=f"{text}: {judgement.verdict}{noise} ({has}{why}).",
    )


def chosen_tiers(names: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """The tiers that must be met: those asked for, else all of the file.

    Raises
    ------
    InputError
        A tier that the file does not have.
    """
    from runreport.ingest.columns import near

    for name in asked:
        if name not in names:
            raise InputError("--tier", found=f"no tier {name!r} in the criteria", expected=near(name, list(names)))
    return tuple(dict.fromkeys(asked)) or tuple(names)
