"""What can be said of several runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runreport.compare.design import Design, Effect
from runreport.context import Final

if TYPE_CHECKING:
    from runreport.statistics.paired import PairedComparison


MOST_PAIRED_RUNS = 8
"""Runs of a design up to which every pair is tested as well: 28 pairs. With more, Holm over all pairs leaves none told
apart, and the question is what a setting does, not which of two seeds scored higher."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The run with the best figure in one metric, and those that cannot be told from it.

    tied
        Other runs whose paired difference to the best is not significant (Holm, 5 %); None where no paired test was
        possible, and then no ranking is supported.
    untested
        Other runs with this figure that could not be paired with the best.
    """

    metric: str
    run: str
    value: float
    tied: tuple[str, ...] | None
    untested: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether every other run was tested against it and told from it."""
        return self.tied == () and not self.untested


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedGroup:
    """Runs of one config that differ in their seed only.

    interquartile_mean
        Mean of the middle half of their R² (Agarwal et al. 2021, NeurIPS); None below 5 runs, where it says nothing.
    """

    runs: tuple[str, ...]
    r2: tuple[float, ...]
    interquartile_mean: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several runs compared.

    finals
        Run -> its final figures, in the order given; None where it has none.
    same_samples
        True: the same samples, matched row by row. False: other samples. None: only summaries are known.
    refused
        Why no paired test was made; None where one was.
    config_differences
        Config key -> run -> value (None: set to nothing), for keys of which two or more values are known. A run without an
        entry does not say.
    without_config
        Runs whose config is not known.
    unpaired
        Run -> why it takes no part in the paired tests that the others take part in.
    design
        The design that the runs form, or why they form none.
    effects
        What each factor of the design changed; empty without a design.
    """

    finals: Mapping[str, Final | None]
    same_samples: bool | None
    refused: str | None
    paired: PairedComparison | None
    best: tuple[Best, ...]
    config_differences: Mapping[str, Mapping[str, object]]
    without_config: tuple[str, ...]
    seed_groups: tuple[SeedGroup, ...]
    unpaired: Mapping[str, str] = field(default_factory=dict)
    design: Design | str = "not looked for"
    effects: tuple[Effect, ...] = ()

    @property
    def large(self) -> bool:
        """Whether the runs are compared by setting only, being too many to compare pair by pair."""
        return bool(self.effects) and len(self.finals) > MOST_PAIRED_RUNS

    @property
    def names(self) -> tuple[str, ...]:
        """The runs, in the order given."""
        return tuple(self.finals)
