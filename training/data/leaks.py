"""Leak check: does a split hold what another has seen, or an input what is to be predicted?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import combinations

import torch

from training.config import Config
from training.data.dataset import Dataset, Split
from training.errors import ConfigError

DIGEST_BYTES = 16  # two different rows among a million share a digest with probability 1e-27


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosestInput:
    """The table column that a straight line turns into the target best, and how well: ``r2`` is the squared Pearson
    correlation over the training rows."""

    column: str
    r2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """What splits have in common, by pair such as ``train_test``, and the input that is closest to the target.

    equal_inputs
        Samples of the second split whose inputs (angles included) occur bit by bit in the first, whatever their target.
    shared_groups
        Groups with samples in both. None where a group is meant to be cut (in time) or there is only one.
    closest_input
        None where the inputs are no table, or neither they nor the target vary. Whether it is a leak is not for the trainer
        to say: a measured quantity may be close to another one.
    """

    equal_inputs: dict[str, int]
    shared_groups: dict[str, int] | None
    closest_input: ClosestInput | None = None

    @property
    def found(self) -> bool:
        """Whether there is any."""
        groups = self.shared_groups or {}
        return any(self.equal_inputs.values()) or any(groups.values())

    def describe(self) -> str:
        """What was found, in one line.

        >>> Leaks(equal_inputs={"train_val": 0, "train_test": 3}, shared_groups=None).describe()
        '3 inputs of test are in train as well'
        """
        parts = []
        for noun, counts in (("inputs", self.equal_inputs), ("groups", self.shared_groups or {})):
            for pair, count in counts.items():
                first, second = pair.split("_")
                if count:
                    parts.append(f"{count} {noun} of {second} are in {first} as well")
        return "; ".join(parts) or "no input and no group in two splits"

    def to_dict(self) -> dict[str, object]:
        """As the metrics file has it."""
        closest = self.closest_input
        return {
            "equal_inputs": self.equal_inputs,
            "shared_groups": self.shared_groups,
            "closest_input": None if closest is None else {"column": closest.column, "r2": closest.r2},
        }


def examine_leaks(dataset: Dataset, *, groups_are_cut: bool = False) -> Leaks:
    """Counts equal inputs and shared groups between every two splits. The cost is one hash over every input."""
    splits = dataset.splits()
    rows = {name: row_digests(split) for name, split in splits.items()}
    groups = {name: set(split.flight_names) for name, split in splits.items()}
    pairs = list(combinations(splits, 2))
    equal = {f"{a}_{b}": len([row for row in rows[b] if row in set_a]) for a, b in pairs for set_a in [set(rows[a])]}
    compared = not groups_are_cut and len(set.union(*groups.values())) > 1
    shared = {f"{a}_{b}": len(groups[a] & groups[b]) for a, b in pairs} if compared else None
    closest = closest_input(dataset.train, dataset.input_names)
    return Leaks(equal_inputs=equal, shared_groups=shared, closest_input=closest)


def closest_input(train: Split, names: tuple[str, ...]) -> ClosestInput | None:
    """The column of a table with the highest squared correlation with the target; None of frames and of constants."""
    if train.frames.ndim != 2 or len(train) < 3:
        return None
    columns, target = train.frames.detach().cpu().double(), train.target.detach().cpu().double()
    columns, target = columns - columns.mean(dim=0), target - target.mean()
    scale = columns.square().sum(dim=0) * target.square().sum()
    squared = torch.where(scale > 0, (columns * target[:, None]).sum(dim=0).square() / scale, torch.zeros(()).double())
    if not len(squared) or not bool(torch.isfinite(squared).all()) or float(squared.max()) == 0.0:
        return None
    best = int(squared.argmax())
    name = names[best] if best < len(names) else f"column {best + 1}"
    return ClosestInput(column=name, r2=min(float(squared[best]), 1.0))


def row_digests(split: Split) -> list[bytes]:
    """A digest of each sample's frames and angles, (n,). 0 and -0 are the same number and have the same digest."""
    frames = split.frames.detach().cpu().flatten(1).numpy() + 0.0
    angles = split.angles.detach().cpu().numpy() + 0.0
    return [
        hashlib.blake2b(frame.tobytes() + angle.tobytes(), digest_size=DIGEST_BYTES).digest()
        for frame, angle in zip(frames, angles, strict=True)
    ]


def check_leaks(config: Config, dataset: Dataset) -> Leaks | None:
    """The leaks of the run's data, None where ``data.leak_check`` is off; ConfigError where it refuses what is found."""
    if config.data.leak_check == "off":
        return None
    leaks = examine_leaks(dataset, groups_are_cut=config.data.split == "time")
    if leaks.found and config.data.leak_check == "refuse":
        raise ConfigError(f"data.leak_check: {leaks.describe()}; mend the split, or set leak_check: warn")
    return leaks
