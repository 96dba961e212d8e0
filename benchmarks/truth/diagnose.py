"""What runreport says of one run: its leading diagnosis, everything else in order, and its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.truth.case import Case
from benchmarks.truth.mapping import RULES
from benchmarks.truth.taxonomy import NONE
from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.report.headline import lead_rules

Names = tuple[tuple[str, ...], ...]
"""What a tool named, in its order: for each message, the faults that it may mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What one tool says of one run.

    ``lead`` is the rule or check that leads (None: nothing is wrong); ``named`` the faults of every message, leading one
    first; ``critical`` the rules at the highest severity; ``error`` why the run could not be judged.
    """

    lead: str | None = None
    rules: tuple[str, ...] = ()
    named: Names = ()
    critical: tuple[str, ...] = ()
    intervals: dict[str, tuple[float, float]] | None = None
    epochs: dict[str, float] | None = None
    error: str | None = None


INTERVALS = ("r2", "variance_ratio", "pearson_r")


def diagnose(case: Case) -> Diagnosis:
    """runreport's word on this run, from the files alone."""
    loaded = list(load_runs([str(case.folder)]))
    problem = next((run for run in loaded if isinstance(run, InputError)), None)
    runs = [run for run in loaded if not isinstance(run, InputError)]
    if problem is not None or not runs:
        return Diagnosis(error=str(problem or "no run"))
    # A log with a restart holds more than one run; the last is the one that went on, as the report says.
    analysis = analyze_run(runs[-1])
    return diagnosis_of(analysis)


def diagnosis_of(analysis: Analysis) -> Diagnosis:
    """What the report of this analysis says."""
    leads = lead_rules(analysis)
    ordered = order(analysis, leads)
    final = analysis.final
    intervals = {}
    for name in INTERVALS if final is not None else ():
        bounds = final.interval(name) if final is not None else None
        if bounds is not None:
            intervals[name] = (float(bounds[0]), float(bounds[1]))
    return Diagnosis(
        lead=next(iter(leads), None),
        rules=ordered,
        named=tuple(RULES.get(rule, ()) for rule in ordered),
        critical=tuple(f.rule for f in analysis.findings if f.severity.rank == 2),
        intervals=intervals,
        epochs={f.rule: float(f.epoch) for f in reversed(analysis.findings) if f.epoch is not None},
    )


def order(analysis: Analysis, leads: Sequence[str]) -> tuple[str, ...]:
    """The rules in the order in which a reader meets them: title (one cause or two), advice, findings above information."""
    because = [rule for advice in analysis.advice for rule in advice.because]
    serious = {f.rule for f in analysis.findings if f.severity.rank >= 1}
    told = [f.rule for f in analysis.findings if f.severity.rank >= 1]
    rules = [*leads, *(rule for rule in because if rule in serious), *told]
    return tuple(dict.fromkeys(rules))


def predicted_one(diagnosis: Diagnosis, accepted: Sequence[str], *, any_message: bool = False) -> str:
    """The class that the tool is taken to say, given what would be right.

    The title decides, which may name nothing while findings stand below it; with ``any_message`` (other tools) any of the
    messages does.
    """
    if not any_message and diagnosis.lead is None:
        return NONE
    named = diagnosis.named if any_message else diagnosis.named[:1]
    for message in named:
        for fault in message:
            if fault in accepted:
                return str(fault)
    # A title that states a caveat names no fault.
    return next((str(message[0]) for message in named if message), NONE)


def predicted_two(diagnosis: Diagnosis, wanted: Sequence[str], *, any_message: bool = False) -> set[str]:
    """Up to two classes that the tool says, in its order; a message counts as the right one of its meanings."""
    said: list[str] = []
    for message in diagnosis.named:
        best = next((str(f) for f in message if f in wanted and f not in said), next(map(str, message), NONE))
        if best != NONE and best not in said:
            said.append(best)
    if any_message:
        said.sort(key=lambda fault: fault not in wanted)
    return set(said[:2])
