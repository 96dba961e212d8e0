"""What is done to a run that is really trained. Severities are drawn from broad distributions, with no rule in mind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.truth.plants.base import log_uniform
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.trained.draft import Draft
from benchmarks.truth.trained.written import mean_and_std, squashed, through
from training.data import Dataset
from training.ensemble import Trained
from training.model import Network

Change = Callable[[np.random.Generator, Draft], Draft]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedPlant:
    """``stage``: what it touches; two plants of one stage are never put into one run."""

    name: str
    fault: Fault
    stage: str
    change: Change
    needs_groups: bool = False

    @property
    def beyond_settings(self) -> str | None:
        """Why no setting of the run can undo it; None where one can."""
        return None if self.fault is Fault.SPLIT_SHIFT else BEYOND_SETTINGS.get(self.stage)


BEYOND_SETTINGS = {
    "start": "the network starts broken",
    "data": "the fault is in the samples",
    "written": "the fault is in code that changes the predictions after training",
}
"""Stage -> why no setting of the run undoes what was planted there. A shift that validation has as well is an exception: a
line fitted on validation takes it out of the test predictions (``recalibrate: apply``)."""


def _settings(draft: Draft, **settings: Any) -> Draft:
    return dataclasses.replace(draft, config=dataclasses.replace(draft.config, **settings))


def _warmup(rng: np.random.Generator, d: Draft) -> Draft:
    """A warm-up counted in epochs that was meant in steps."""
    return _settings(d, warmup_unit="epoch", warmup_steps=round(d.config.max_epochs * log_uniform(rng, 1.5, 60)))


def _rate_high(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, learning_rate=min(10.0, d.config.learning_rate * log_uniform(rng, 20, 3000)))


def _rate_low(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, learning_rate=d.config.learning_rate / log_uniform(rng, 10, 3000))


def _penalty_heavy(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, variance_lambda=log_uniform(rng, 1, 300))


def _penalty_small_batch(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, variance_lambda=log_uniform(rng, 0.3, 10), batch_size=8)


def _penalty_hinge(rng: np.random.Generator, d: Draft) -> Draft:
    """A hinge that asks for more spread than the truth has."""
    return _settings(
        d, variance_lambda=log_uniform(rng, 1, 100), penalty="std_hinge", std_hinge_target=float(rng.uniform(1, 2))
    )


def _decay(rng: np.random.Generator, d: Draft) -> Draft:
    """Weight decay that outweighs the loss."""
    return _settings(d, weight_decay=log_uniform(rng, 1, 10), schedule="warmup_plateau")


def _overfit_last(rng: np.random.Generator, d: Draft) -> Draft:
    """Far past the best epoch, and the last one is kept: no epoch before it may win."""
    epochs = round(d.config.max_epochs * rng.uniform(1.5, 4))
    return _settings(
        d, max_epochs=epochs, stopping_warmup=epochs - 1, patience=epochs, weight_decay=0.0,
        learning_rate=d.config.learning_rate * log_uniform(rng, 1, 3),
    )  # fmt: skip


def _few_epochs(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, max_epochs=int(rng.integers(1, max(3, d.config.max_epochs // 6))))


def _no_patience(rng: np.random.Generator, d: Draft) -> Draft:
    return _settings(d, patience=1, min_delta=log_uniform(rng, 0.01, 0.3))


def _wrong_monitor(rng: np.random.Generator, d: Draft) -> Draft:
    """The composite score, which rewards spread, over a run long enough to memorise."""
    epochs = round(d.config.max_epochs * rng.uniform(1.5, 4))
    return _settings(d, early_stopping="composite", max_epochs=epochs, patience=epochs, weight_decay=0.0)


def _first_kept(rng: np.random.Generator, d: Draft) -> Draft:
    """An improvement has to be larger than any that comes after the first few epochs; nothing stops the run."""
    return _settings(d, min_delta=log_uniform(rng, 0.1, 1.0), patience=d.config.max_epochs)


def _data(draft: Draft, **splits: Any) -> Draft:
    return dataclasses.replace(draft, dataset=dataclasses.replace(draft.dataset, **splits))


def _generator(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**31)))


def _std(dataset: Dataset) -> float:
    return float(dataset.train.target.std(correction=0))


def _split_shift(rng: np.random.Generator, d: Draft) -> Draft:
    """The target lies elsewhere in validation and test: an instrument was recalibrated in between."""
    shift = float(rng.choice([-1, 1])) * log_uniform(rng, 0.3, 3) * _std(d.dataset)
    return _data(
        d,
        val=dataclasses.replace(d.dataset.val, target=d.dataset.val.target + shift),
        test=dataclasses.replace(d.dataset.test, target=d.dataset.test.target + shift),
    )


def _group_shift(rng: np.random.Generator, d: Draft) -> Draft:
    """One or two of the test centres measure with an offset."""
    shift = float(rng.choice([-1, 1])) * log_uniform(rng, 0.5, 4) * _std(d.dataset)
    off = torch.from_numpy(rng.choice(len(d.dataset.test.flight_names), int(rng.integers(1, 3)), replace=False))
    test = d.dataset.test
    return _data(d, test=dataclasses.replace(test, target=test.target + shift * torch.isin(test.flight, off)))


def _no_signal(rng: np.random.Generator, d: Draft) -> Draft:
    """Targets joined to the wrong rows, in every split."""
    generator = _generator(rng)
    return _data(
        d,
        **{
            name: dataclasses.replace(s, target=s.target[torch.randperm(len(s), generator=generator)])
            for name, s in d.dataset.splits().items()
        },
    )


def _label_noise(rng: np.random.Generator, d: Draft) -> Draft:
    """Some of the training rows have the label of another of them; validation and test are right."""
    train, generator = d.dataset.train, _generator(rng)
    wrong = torch.randperm(len(train), generator=generator)[: round(len(train) * rng.uniform(0.2, 0.8))]
    target = train.target.clone()
    target[wrong] = train.target[wrong[torch.randperm(len(wrong), generator=generator)]]
    return _data(d, train=dataclasses.replace(train, target=target))


def _own_units(rng: np.random.Generator, d: Draft) -> Draft:  # noqa: ARG001 - nothing about it is drawn
    """The target left in its own units, the output starting at 0."""
    return _settings(d, standardise_target=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadUnits:
    """Leaves ``alive`` of the first hidden layer's units; nothing goes into or out of the others, so none ever learns."""

    alive: int
    seed: int

    def __call__(self, network: Network) -> None:
        """Sets what leads to and from the dead units to 0, where their gradients are 0 as well: GELU(0) = 0."""
        first, second = [m for m in network.modules() if isinstance(m, torch.nn.Linear)][:2]
        order = torch.randperm(first.out_features, generator=torch.Generator().manual_seed(self.seed))
        dead = order[self.alive :]
        with torch.no_grad():
            first.weight[dead] = 0.0
            first.bias[dead] = 0.0
            second.weight[:, dead] = 0.0


def _dead_units(rng: np.random.Generator, d: Draft) -> Draft:
    return dataclasses.replace(d, start=DeadUnits(alive=int(rng.integers(0, 4)), seed=int(rng.integers(2**31))))


def _leak_target(rng: np.random.Generator, d: Draft) -> Draft:
    """One input column is the target, more or less exactly."""
    column = int(rng.integers(d.dataset.train.frames.shape[1]))
    noise, generator = log_uniform(rng, 0.003, 0.5) * _std(d.dataset), _generator(rng)
    splits = {}
    for name, s in d.dataset.splits().items():
        frames = s.frames.clone()
        frames[:, column] = s.target + noise * torch.randn(len(s), generator=generator)
        splits[name] = dataclasses.replace(s, frames=frames)
    return _data(d, **splits)


def _leak_rows(rng: np.random.Generator, d: Draft) -> Draft:
    """Test and validation rows among the training rows, and a run long enough to learn them by heart."""
    train, share = d.dataset.train, float(rng.uniform(0.3, 1.0))
    frames, target = train.frames.clone(), train.target.clone()
    place = 0
    for s in (d.dataset.test, d.dataset.val):
        count = min(round(share * len(s)), len(train) - place)
        frames[place : place + count], target[place : place + count] = s.frames[:count], s.target[:count]
        place += count
    epochs = round(d.config.max_epochs * rng.uniform(1.5, 3))
    longer = _settings(d, max_epochs=epochs, patience=epochs, weight_decay=0.0)
    return _data(longer, train=dataclasses.replace(train, frames=frames, target=target))


def _through(draft: Draft, make: Callable[[Trained], Callable[[Tensor], Tensor]], *, history: bool = True) -> Draft:
    return dataclasses.replace(
        draft, written=(*draft.written, lambda trained: through(trained, make(trained), history=history))
    )


def _unscaled(rng: np.random.Generator, d: Draft) -> Draft:
    """Predictions left in standard deviations of the training targets."""

    def make(trained: Trained) -> Callable[[Tensor], Tensor]:
        mean, std = mean_and_std(trained)
        return lambda y: (y - mean) / std

    return _through(d, make, history=bool(rng.random() < 0.5))


def _wrong_unit(rng: np.random.Generator, d: Draft) -> Draft:
    factor = float(rng.choice([0.001, 0.01, 0.1, 0.3048, 2.54, 10, 60, 100, 1000]))
    return _through(d, lambda _: lambda y: y * factor, history=bool(rng.random() < 0.5))


def _offset(rng: np.random.Generator, d: Draft) -> Draft:
    share = float(rng.choice([-1, 1])) * log_uniform(rng, 0.2, 3)
    return _through(d, lambda t: lambda y: y + share * mean_and_std(t)[1])


def _sign(rng: np.random.Generator, d: Draft) -> Draft:  # noqa: ARG001 - nothing about it is drawn
    return _through(d, lambda t: lambda y: 2 * mean_and_std(t)[0] - y)


def _clipped(rng: np.random.Generator, d: Draft) -> Draft:
    """Bounds inside the range of the truth, on one side or both."""
    low, high = float(rng.uniform(0.05, 0.45)), float(rng.uniform(0.55, 0.95))
    low, high = (low, 1.0) if (side := rng.integers(3)) == 0 else (0.0, high) if side == 1 else (low, high)
    target = d.dataset.train.target
    bounds = (float(torch.quantile(target, low)), float(torch.quantile(target, high)))
    return _through(d, lambda _: lambda y: y.clamp(*bounds))


def _squashed(rng: np.random.Generator, d: Draft) -> Draft:
    half, target = float(rng.uniform(0.4, 1.5)), d.dataset.train.target
    mean, std = float(target.mean()), _std(d.dataset)
    return _through(d, lambda _: lambda y: squashed(y, mean - half * std, mean + half * std))


def _stretched(rng: np.random.Generator, d: Draft) -> Draft:
    factor = log_uniform(rng, 1.2, 4)
    return _through(d, lambda t: lambda y: mean_and_std(t)[0] + factor * (y - mean_and_std(t)[0]))


def _plant(name: str, fault: Fault, stage: str, change: Change, *, needs_groups: bool = False) -> TrainedPlant:
    return TrainedPlant(name=name, fault=fault, stage=stage, change=change, needs_groups=needs_groups)


PLANTS = (
    _plant("warmup in epochs", Fault.WARMUP_UNFINISHED, "rate", _warmup),
    _plant("rate too high", Fault.RATE_HIGH, "rate", _rate_high),
    _plant("rate too low", Fault.RATE_LOW, "rate", _rate_low),
    _plant("penalty heavy", Fault.PENALTY, "objective", _penalty_heavy),
    _plant("penalty on small batches", Fault.PENALTY, "objective", _penalty_small_batch),
    _plant("penalty asks for too much", Fault.PENALTY, "objective", _penalty_hinge),
    _plant("weight decay too strong", Fault.TOO_NARROW, "objective", _decay),
    _plant("overfit, last epoch kept", Fault.OVERFIT, "length", _overfit_last),
    _plant("too few epochs", Fault.STOPPED_EARLY, "length", _few_epochs),
    _plant("no patience", Fault.STOPPED_EARLY, "length", _no_patience),
    _plant("composite monitor", Fault.WRONG_PICK, "length", _wrong_monitor),
    _plant("first epochs kept", Fault.WRONG_PICK, "length", _first_kept),
    _plant("split shift", Fault.SPLIT_SHIFT, "data", _split_shift),
    _plant("group shift", Fault.GROUP_SHIFT, "data", _group_shift, needs_groups=True),
    _plant("targets permuted", Fault.NO_SIGNAL, "data", _no_signal),
    _plant("target among inputs", Fault.LEAK, "data", _leak_target),
    _plant("test rows in training", Fault.LEAK, "data", _leak_rows),
    _plant("not scaled back", Fault.SCALE, "written", _unscaled),
    _plant("wrong unit", Fault.SCALE, "written", _wrong_unit),
    _plant("offset", Fault.BIAS, "written", _offset),
    _plant("wrong sign", Fault.SIGN, "written", _sign),
    _plant("clipped", Fault.CLIPPED, "written", _clipped),
    _plant("squashed", Fault.SQUASHED, "written", _squashed),
    _plant("stretched", Fault.TOO_WIDE, "written", _stretched),
)
LATER = (
    _plant("dead units", Fault.DEAD_UNITS, "start", _dead_units),
    _plant("label noise", Fault.LABEL_NOISE, "data", _label_noise),
    _plant("target in its own units", Fault.SCALE, "scale", _own_units),
)
"""Added when the first runs had been made: those keep their names, seeds and severities."""


def can_be_together(one: TrainedPlant, two: TrainedPlant) -> bool:
    """Other stages, other faults, and something for the second to act on: without signal no other fault costs R²."""
    masks = {Fault.NO_SIGNAL, Fault.LEAK}
    return one.stage != two.stage and one.fault != two.fault and not masks & {one.fault, two.fault}


def few_inputs(rng: np.random.Generator, d: Draft) -> Draft:
    """Most columns shuffled within each split: a low ceiling, no fault."""
    width, generator = d.dataset.train.frames.shape[1], _generator(rng)
    gone = rng.choice(width, round(width * rng.uniform(0.6, 0.85)), replace=False)
    splits = {}
    for name, s in d.dataset.splits().items():
        frames = s.frames.clone()
        for column in gone:
            frames[:, column] = frames[torch.randperm(len(s), generator=generator), column]
        splits[name] = dataclasses.replace(s, frames=frames)
    return _data(d, **splits)


def noisy_target(rng: np.random.Generator, d: Draft) -> Draft:
    """Noise on the target of every split: a low ceiling, no fault."""
    noise, generator = float(rng.uniform(0.7, 1.8)) * _std(d.dataset), _generator(rng)
    return _data(
        d,
        **{
            name: dataclasses.replace(s, target=s.target + noise * torch.randn(len(s), generator=generator))
            for name, s in d.dataset.splits().items()
        },
    )
