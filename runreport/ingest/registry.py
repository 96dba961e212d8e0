"""The readers, most particular first: the first that claims a file has it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from runreport.errors import InputError
from runreport.ingest.columns import near
from runreport.ingest.reader import Reader
from runreport.ingest.readers import (
    aligned,
    boosting_evals,
    catboost,
    dvclive,
    fastai,
    final_figures,
    json_history,
    jsonl,
    keras_csv,
    lightning,
    mlflow_files,
    mlflow_sqlite,
    native,
    predictions,
    printed,
    private_stores,
    scalar_exports,
    table,
    tensorboard,
    trackio,
    transformers_state,
    ultralytics,
    wandb,
    yaml_history,
)

READERS: tuple[Reader, ...] = (
    private_stores.READER,  # before all: what lies in such a store is no other's, whatever its name
    wandb.READER,
    catboost.READER,  # before tensorboard: CatBoost writes its figures for it too
    tensorboard.READER,
    mlflow_files.READER,
    mlflow_sqlite.READER,
    trackio.READER,
    dvclive.READER,
    transformers_state.READER,
    scalar_exports.READER,
    lightning.READER,  # before native: its metrics.csv keeps the run's name, whatever predictions lie beside it
    native.READER,  # before other tables: a file with predictions_<run>.csv beside it is of that run
    predictions.READER,
    ultralytics.READER,
    fastai.READER,
    keras_csv.READER,
    boosting_evals.READER,
    json_history.READER,
    jsonl.READER,
    yaml_history.READER,
    aligned.READER,  # before printed: a table's rows name no epoch
    aligned.MARKDOWN,
    printed.READER,
    final_figures.READER,  # before table: a table of metric and value is no history
    table.READER,  # the last: any table
)
GROUP = "runreport.readers"
"""Entry-point group of readers that other packages bring; each is a :class:`~runreport.ingest.reader.Reader`."""


@cache
def all_readers() -> tuple[Reader, ...]:
    """Other packages' readers, then ours: who installs a reader means it.

    Raises
    ------
    InputError
        An entry point that does not load, is no reader, or bears a name that is taken.
    """
    return (*_installed(), *READERS)


def reader_named(name: str) -> Reader:
    """The reader that ``--reader NAME`` means.

    Raises
    ------
    InputError
        No reader of this name.
    """
    for reader in all_readers():
        if reader.name == name:
            return reader
    raise InputError("--reader", found=repr(name), expected=near(name, [r.name for r in all_readers()], most=30))


def _installed() -> tuple[Reader, ...]:
    found: list[Reader] = []
    taken = {reader.name for reader in READERS}
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        try:
            reader = point.load()
        except Exception as error:  # other people's code may raise anything at import
            raise InputError(point.value, found=f"the reader {point.name!r} does not load ({error})") from error
        if not isinstance(reader, Reader):
            raise InputError(
                point.value, found=f"a {type(reader).__name__}", expected="a runreport.ingest.reader.Reader"
            )
        if reader.name in taken:
            raise InputError(point.value, found=f"a second reader {reader.name!r}", remedy="give it a name of its own")
        taken.add(reader.name)
        found.append(reader)
    return tuple(found)
