"""One run with known truth: what was done to it, and what its model is really worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.truth.taxonomy import NONE, Fault

Split = Literal["dev", "dev2", "dev3", "test"]
"""Rules are tuned on ``dev``; what is changed there must hold on ``dev2`` and ``dev3``, other seeds and small tables; ``test``
is looked at last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is known of a run because it was made.

    faults
        Planted and verified harmful; empty, one or two.
    harmless
        Planted, but its effect was within two seed standard deviations: naming it is no error, missing it neither.
    incidental
        Not planted, and yet as harmful by the same measure (trained runs only): a line through the validation predictions of
        the saved epoch mends the test predictions by more than two seed standard deviations. Naming it counts as wrong, but in
        the figure that is given beside the main one.
    harm
        Fault -> R² lost to it in units of R², on the population (for faults of the record: error of the logged figure).
    kind
        ``healthy``, ``limited`` (at a low ceiling), ``single``, ``double`` or ``harmless``.
    plants
        The exact plant by name, for reading the results.
    onset
        Epoch at which a fault that begins in mid-run began.
    best_epoch
        Epoch whose model has the highest R² on the population.
    population
        Name -> value of the saved model on the population that the evaluation rows were drawn from; empty where the rows
        are not a sample of one population (a leak, a shifted group).
    """

    faults: tuple[Fault, ...] = ()
    harmless: tuple[Fault, ...] = ()
    incidental: tuple[Fault, ...] = ()
    harm: Mapping[Fault, float] = field(default_factory=dict)
    seed_sd: float | None = None
    kind: str = "healthy"
    plants: tuple[str, ...] = ()
    onset: int | None = None
    best_epoch: int | None = None
    saved_epoch: int | None = None
    saved_regret: float | None = None
    population: Mapping[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes to be found: the harmful faults, or ``none``."""
        return tuple(f.value for f in self.faults) or (NONE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A folder of artifacts in the native format, and the truth about it.

    source
        ``simulated`` or ``trained``.
    traits
        What results are broken down by: n, grouped, columns logged.
    """

    name: str
    source: str
    split: Split
    folder: Path
    truth: Truth
    traits: Mapping[str, object] = field(default_factory=dict)

    @property
    def history(self) -> Path:
        """The log, which is all that other tools read."""
        return self.folder / f"{self.name}.csv"
