"""One run of a sweep, as a process of its own trains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.places import Places
from training.progress import PlainProgress
from training.sweep.plan import PlannedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run and where it goes; sent to the process that trains it."""

    run: PlannedRun
    places: Places
    force: bool
    epoch_predictions: bool


class NoProgress(PlainProgress):
    """Says nothing: several runs at a time would talk over each other."""

    def epoch(self, row: Mapping[str, Any], *, selected: int | None) -> None:
        """Nothing."""


def train(job: Job) -> dict[str, Any]:
    """Trains the run, on from where an earlier sweep was cut off unless forced to begin anew; gives back its metrics.

    A run that is complete is left alone: on a cluster a node may be lost between a run's last file and its result's arrival.
    """
    from training.run import run_training
    from training.sweep.standing import finished

    if not job.force:
        there = finished(job.places.folder, job.run, epoch_predictions=job.epoch_predictions)
        if there is not None:
            return there
    return run_training(
        job.run.config,
        job.places,
        force=job.force,
        resume=not job.force,
        progress=NoProgress,
        epoch_predictions=job.epoch_predictions,
    )
