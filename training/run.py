"""A whole run: data, network, epochs, artifacts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from runreport.artifacts import EpochPredictions, epoch_predictions_path, epoch_predictions_supported
from training.acceleration import accelerate, say
from training.checkpoint import load_checkpoint
from training.config import Config
from training.data import Dataset, Split, check_leaks, load_dataset
from training.data.leaks import Leaks
from training.distributed import World, join_world
from training.environment import choose_device, make_reproducible, versions
from training.epochs import Ending, train_epochs, values_of
from training.errors import ConfigError
from training.loop import Trainer
from training.metrics import describe_target
from training.model import make_network
from training.objective import evaluate_losses, make_objective
from training.places import Places
from training.precision import Precision, set_matmul_precision
from training.pretraining import check_pretraining, pretrain
from training.progress import PlainProgress, Progress
from training.recalibration import Recalibration, attach_to_checkpoint, recalibrated, recalibration_of
from training.recorder import Recorder
from training.resume import load_state
from training.stopping import EarlyStopping, make_early_stopping

__all__ = ["Places", "run_training"]


def run_training(
    config: Config,
    places: Places,
    *,
    force: bool = False,
    resume: bool = False,
    progress: Callable[[str, int], Progress] = PlainProgress,
    epoch_predictions: bool = True,
) -> dict[str, Any]:
    """Trains ``config`` and writes its artifacts; returns what the metrics file holds.

    History rows appear epoch by epoch, predictions at the end, the metrics last. With ``resume`` a run that was cut off
    goes on after its last whole epoch, to the same numbers; where there is none it begins. Without ``epoch_predictions`` the
    validation predictions of every epoch, most of a run's bytes, are not written. Started by torchrun, all processes train
    together; rank 0 writes, and the others return an empty mapping. Raises ConfigError before anything is written where
    the run cannot be carried out.
    """
    device = choose_device(config.device)
    Precision(config.precision, device)  # refuses what this device cannot do, before anything is touched
    with join_world(device) as world:
        return _run(
            config, places, device, world, progress, force=force, resume=resume, epoch_predictions=epoch_predictions
        )


def _prepare(config: Config, places: Places, *, force: bool, resume: bool) -> str | None:
    """Makes the places ready; what stands in the way, or None."""
    try:
        places.prepare(config.run_name, force=force, resume=resume)
    except (ConfigError, OSError) as error:
        return str(error)
    return None


def _run(
    config: Config,
    places: Places,
    device: torch.device,
    world: World,
    progress: Callable[[str, int], Progress],
    *,
    force: bool,
    resume: bool,
    epoch_predictions: bool,
) -> dict[str, Any]:
    """One process's part of a run. An earlier run's files are touched last before training: by then data, network and
    objective have been made, so most of what can be wrong with a configuration has been found."""
    make_reproducible(seed=config.seed, threads=config.threads, device=device, deterministic=config.deterministic)
    set_matmul_precision(config.precision)
    state = load_state(places.state, config, device=device) if resume else None
    dataset = load_dataset(config, device)
    leaks = check_leaks(config, dataset)
    objective = make_objective(config, dataset.train.target)
    model = make_network(config, dataset.train, output_bias=objective.start(output_bias(config, dataset.train)))
    model = model.to(device)
    check_pretraining(config, dataset.train)
    problem = _prepare(config, places, force=force, resume=resume) if world.is_main else None
    problem = world.first_says(problem)
    if problem is not None:
        raise ConfigError(problem)
    if leaks is not None and leaks.found and world.is_main:
        say(f"warning: {leaks.describe()}")
    pretraining = pretrain(config, model, dataset.train)
    world.share_weights(model)
    trainer = Trainer(config, model, dataset.train, objective=objective, world=world)
    accelerate(model, config, trainer.trial)
    stopping = make_early_stopping(config)
    with Recorder(config, places, progress, writes=world.is_main) as recorder:
        ending = train_epochs(config, trainer, dataset, stopping, recorder, state)
    penalty_weight = config.penalty_weight
    if stopping.selected_epoch is not None:
        world.wait()
        selected = load_checkpoint(places.checkpoint, model, device=device)
        penalty_weight = float(selected["penalty_weight"])
    outputs = trainer.predict(dataset.test)
    recalibration = chosen_recalibration(config, dataset, ending.val_pred, stopping.selected_epoch)
    y_pred = recalibrated(objective.point(outputs), recalibration)
    losses = evaluate_losses(objective, penalty_weight, outputs, dataset.test.target)
    if world.is_main:
        if recalibration is not None:
            attach_to_checkpoint(places.checkpoint, recalibration)
        if epoch_predictions and epoch_predictions_supported():
            write_epoch_predictions(config, places, dataset.val, ending)
    return recorder.final(
        y_true=values_of(dataset.test.target),
        y_pred=values_of(y_pred),
        groups={"local_indices": dataset.test.local_indices.tolist(), "flight_name": dataset.test.names()},
        given=facts_of_run(
            dataset,
            stopping,
            ending,
            device=device.type,
            loss=losses.total,
            leaks=leaks,
            recalibration=recalibration,
        )
        | {"pretraining": None if pretraining is None else pretraining.to_dict()},
    )


def facts_of_run(
    dataset: Dataset,
    stopping: EarlyStopping,
    ending: Ending,
    *,
    device: str,
    loss: float,
    leaks: Leaks | None,
    recalibration: Recalibration | None,
) -> dict[str, Any]:
    """What the metrics file says of a run beyond what follows from its test predictions; ``loss`` is the test split's."""
    return {
        **_choice(stopping),
        "versions": versions(),
        "device": device,
        "epochs_run": ending.epochs_run,
        "stopped_because": ending.stopped_because,
        "loss": loss,
        "splits": {name: describe_target(values_of(split.target)) for name, split in dataset.splits().items()},
        "leak_check": None if leaks is None else leaks.to_dict(),
        "inputs": list(dataset.input_names) or None,
        "pretraining": None,
        "recalibration": None if recalibration is None else recalibration.to_dict(),
    }


def write_epoch_predictions(config: Config, places: Places, val: Split, ending: Ending) -> None:
    """The validation predictions after every epoch."""
    epoch_predictions = _collector(val)
    for epoch, val_pred in enumerate(ending.val_pred, start=1):
        epoch_predictions.add(epoch, val_pred.tolist())
    epoch_predictions.write(epoch_predictions_path(places.folder, config.run_name))


def _choice(stopping: EarlyStopping) -> dict[str, Any]:
    """How the epoch was chosen whose weights predict the test split."""
    policy = stopping.policy
    return {
        "selected_epoch": stopping.selected_epoch,
        "selected_by": policy.name,
        "policy": {
            "monitor": policy.monitor,
            "mode": policy.mode,
            "patience": stopping.patience,
            "min_delta": stopping.min_delta,
            "floor": policy.floor,
            "stopping_warmup": stopping.warmup,
        },
    }


def chosen_recalibration(
    config: Config, dataset: Dataset, val_pred: Sequence[Tensor] | Tensor, selected: int | None
) -> Recalibration | None:
    """The line through the selected epoch's validation predictions; None where not asked for or no epoch was kept."""
    if config.recalibrate == "none" or selected is None:
        return None
    fitted = recalibration_of(values_of(dataset.val.target), values_of(val_pred[selected - 1]))
    return dataclasses.replace(fitted, applied=config.recalibrate == "apply" and fitted.line is not None)


def output_bias(config: Config, train: Split) -> float:
    """The number that the output bias starts at."""
    if isinstance(config.output_init_bias, str):
        return float(train.target.mean())
    return config.output_init_bias


def _collector(split: Split) -> EpochPredictions:
    return EpochPredictions(
        y_true=split.target.tolist(), local_indices=split.local_indices.tolist(), flight_name=split.names()
    )
