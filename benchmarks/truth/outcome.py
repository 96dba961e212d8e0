"""One case beside what was said of it: a plain record, which processes can hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.truth.case import Case
from benchmarks.truth.diagnose import Diagnosis
from benchmarks.truth.mapping import ONSETS, RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A case's truth (see :class:`benchmarks.truth.case.Truth`) and each tool's diagnosis."""

    name: str
    source: str
    kind: str
    plants: tuple[str, ...]
    labels: tuple[str, ...]
    harmless: tuple[str, ...]
    incidental: tuple[str, ...]
    onset: int | None
    saved_regret: float | None
    seed_sd: float | None
    population: dict[str, float]
    traits: dict[str, object]
    said: dict[str, Diagnosis] = field(default_factory=dict)

    @property
    def accepted(self) -> tuple[str, ...]:
        """Classes that are right to name: the labels, and plants that turned out harmless."""
        return (*self.labels, *self.harmless)

    @property
    def harmful_pick(self) -> bool | None:
        """Whether the saved epoch is worse than the best one by more than two seed standard deviations."""
        if self.saved_regret is None or self.seed_sd is None:
            return None
        return self.saved_regret > 2 * self.seed_sd


def outcome(case: Case, said: dict[str, Diagnosis]) -> Outcome:
    """The record of one case."""
    truth = case.truth
    return Outcome(
        name=case.name,
        source=case.source,
        kind=truth.kind,
        plants=truth.plants,
        labels=truth.labels,
        harmless=tuple(f.value for f in truth.harmless),
        incidental=tuple(f.value for f in truth.incidental),
        onset=truth.onset,
        saved_regret=truth.saved_regret,
        seed_sd=truth.seed_sd,
        population=dict(truth.population),
        traits=dict(case.traits),
        said=said,
    )


def onset_error(item: Outcome, diagnosis: Diagnosis) -> float | None:
    """|epoch named - epoch of the onset| of the first rule that names a planted fault with an epoch; None where none does."""
    if item.onset is None or diagnosis.epochs is None:
        return None
    for rule in ONSETS:
        if rule in diagnosis.epochs and any(fault in item.labels for fault in RULES[rule]):
            return abs(diagnosis.epochs[rule] - item.onset)
    return None
