"""What can be said of several runs beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.context import Final

if TYPE_CHECKING:
    from runreport.statistics.paired import PairedComparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The run with the best figure in one metric, and those that cannot be told from it.

    tied
        Other runs whose paired difference to the best is not significant (Holm, 5 %); None where no paired test was
        possible, and then no ranking is supported.
    """

    metric: str
    run: str
    value: float
    tied: tuple[str, ...] | None


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
        Config key -> run -> value (None: not set), for keys that are not equal in all runs whose config is known.
    without_config
        Runs whose config is not known.
    """

    finals: Mapping[str, Final | None]
    same_samples: bool | None
    refused: str | None
    paired: PairedComparison | None
    best: tuple[Best, ...]
    config_differences: Mapping[str, Mapping[str, object]]
    without_config: tuple[str, ...]
    seed_groups: tuple[SeedGroup, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The runs, in the order given."""
        return tuple(self.finals)
