"""A member's artifacts: what it would have left on disk had it been trained alone."""

from __future__ import annotations

import warnings
from typing import Any

from runreport.artifacts import HISTORY_COLUMNS, epoch_predictions_supported
from runreport.logger import RunLogger
from training.acceleration import say
from training.data import check_leaks
from training.ensemble.member import Trained
from training.epochs import Ending, values_of
from training.places import Places
from training.run import facts_of_run, write_epoch_predictions
from training.stopping import make_early_stopping


def write_artifacts(trained: Trained, places: Places, *, epoch_predictions: bool = True) -> dict[str, Any]:
    """Writes history, test predictions, metrics and validation predictions into ``places.folder``; gives back the metrics.

    The files, their columns and their keys are those of :func:`training.run.run_training`; weights are not written, since
    an ensemble hands out none. A run of this name that is already there is replaced. Raises ConfigError where the
    configuration's leak check refuses the data.
    """
    member = trained.member
    config, dataset = member.config, member.dataset
    leaks = check_leaks(config, dataset)
    stopping = make_early_stopping(config)
    stopping.selected_epoch = trained.selected_epoch
    ending = Ending(stopped_because=trained.stopped_because, val_pred=trained.val_pred)
    test = dataset.test
    with (
        warnings.catch_warnings(record=True) as caught,
        RunLogger(config.run_name, out=places.folder, config=config.to_dict(), force=True) as log,
    ):
        warnings.simplefilter("always")
        for row in trained.rows:
            columns: dict[str, Any] = {name: row[name] for name in HISTORY_COLUMNS}
            log.epoch(**columns)
        if epoch_predictions and epoch_predictions_supported():
            write_epoch_predictions(config, places, dataset.val, ending)
        document = log.final(
            y_true=values_of(test.target),
            y_pred=values_of(trained.test_pred),
            groups={"local_indices": test.local_indices.tolist(), "flight_name": test.names()},
            **facts_of_run(
                dataset,
                stopping,
                ending,
                device=trained.test_pred.device.type,
                loss=trained.test_loss,
                leaks=leaks,
                recalibration=trained.recalibration,
            ),
        )
    for warning in caught:
        say(f"warning: {warning.message}")
    return document
