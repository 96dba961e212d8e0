"""The tables as splits of a run: real ones, which scikit-learn ships, and flights; dev and test have none in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.truth.case import Split
from benchmarks.truth.trained import flights
from training.config import DataConfig
from training.data import Dataset
from training.data import Split as Samples
from training.data.pool import make_pool
from training.data.splitting import split_pool

TABLES_OF: dict[Split, tuple[str, ...]] = {
    "dev": ("diabetes", "digits"),
    "dev2": ("few_diabetes", "few_digits"),
    "dev3": ("few_diabetes", "few_digits"),
    "test": ("wine", "breast_cancer"),
}
FLIGHTS_OF: dict[Split, str] = {"dev": "flights", "dev2": "flights", "dev3": "flights", "test": "low_flights"}
DIGIT_ROWS = 900
"""Of 1,797 digits, drawn anew for each cell: with all of them every run would end close to the same R²."""
FEW_ROWS = (160, 401)
"""Rows of a ``few_`` table, drawn anew for each cell: 80 to 200 train, on which a network overfits."""
FRACTION = 0.25
"""Share of the rows that validate, and that test: the tables are small, and a test split of 20 % of wine has 35 rows."""
CENTRES = 6
"""Groups of each split of a grouped case."""


class Table(NamedTuple):
    """inputs (n, columns), target (n,), names of the columns and of the target."""

    inputs: NDArray[np.float64]
    target: NDArray[np.float64]
    names: tuple[str, ...]
    target_name: str


def _diabetes() -> Table:
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    return Table(np.asarray(bunch.data), np.asarray(bunch.target), tuple(bunch.feature_names), "progression")


def _diabetes_products() -> Table:
    """The ten measurements, their squares and products: 65 columns, nearly as many as a ``few_`` table has rows."""
    own = _diabetes()
    pairs = list(combinations_with_replacement(range(len(own.names)), 2))
    standard = (own.inputs - own.inputs.mean(axis=0)) / own.inputs.std(axis=0)
    products = np.column_stack([standard[:, i] * standard[:, j] for i, j in pairs])
    names = (*own.names, *(f"{own.names[i]} x {own.names[j]}" for i, j in pairs))
    return Table(np.column_stack([own.inputs, products]), own.target, names, own.target_name)


def _digits() -> Table:
    """The digit as a number, from its 64 pixels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Table(np.asarray(bunch.data), np.asarray(bunch.target, float), tuple(bunch.feature_names), "digit")


def _wine() -> Table:
    """Alcohol from the twelve other measurements."""
    from sklearn.datasets import load_wine

    return _column_of(load_wine(), "alcohol")


def _breast_cancer() -> Table:
    """A noisy measurement from the others: a straight line explains 72 % of it, of most others more than 85 %."""
    from sklearn.datasets import load_breast_cancer

    return _column_of(load_breast_cancer(), "symmetry error")


def _column_of(bunch: object, target: str) -> Table:
    names = [str(name) for name in bunch.feature_names]  # type: ignore[attr-defined]
    data, place = np.asarray(bunch.data), names.index(target)  # type: ignore[attr-defined]
    rest = tuple(name for name in names if name != target)
    return Table(np.delete(data, place, axis=1), data[:, place], rest, target)


READERS: dict[str, Callable[[], Table]] = {
    "diabetes": _diabetes,
    "digits": _digits,
    "few_diabetes": _diabetes_products,
    "few_digits": _digits,
    "wine": _wine,
    "breast_cancer": _breast_cancer,
}


@cache
def table(name: str) -> Table:
    """One of the tables."""
    return READERS[name]()


def data_config(name: str, seed: int) -> DataConfig:
    """The data part of a run's configuration, as a run alone would have it."""
    if name in flights.FLIGHTS:
        return flights.data_config(name, seed)
    return DataConfig(
        kind="diabetes" if name == "diabetes" else "table",
        path=None if name == "diabetes" else f"{name}.csv",
        target=table(name).target_name,
        split="random",
        seed=seed,
        val_fraction=FRACTION,
        test_fraction=FRACTION,
    )


def dataset_of(name: str, seed: int) -> Dataset:
    """The table split by this seed; of the digits a part, of a ``few_`` table a small one; flights flown anew."""
    if name in flights.FLIGHTS:
        return flights.flights_of(name, seed)
    own = table(name)
    rows = np.arange(len(own.target))
    if name == "digits":
        rows = np.random.default_rng([seed, 3]).permutation(rows)[:DIGIT_ROWS]
    if name.startswith("few_"):
        rng = np.random.default_rng([seed, 3])
        rows = rng.permutation(rows)[: rng.integers(*FEW_ROWS)]
    pool = make_pool(name, inputs=own.inputs[rows], target=own.target[rows], input_names=own.names)
    return split_pool(pool, data_config(name, seed))


def grouped(dataset: Dataset) -> Dataset:
    """The same rows as coming from centres, other ones in each split: names only, the rows stay exchangeable."""
    return dataclasses.replace(dataset, **{name: _centres(samples, name) for name, samples in dataset.splits().items()})


def _centres(samples: Samples, prefix: str) -> Samples:
    n = len(samples)
    flight = torch.arange(n) * CENTRES // n
    starts = torch.searchsorted(flight, torch.arange(CENTRES))
    return dataclasses.replace(
        samples,
        flight=flight,
        flight_names=tuple(f"{prefix}{i}" for i in range(CENTRES)),
        local_indices=torch.arange(n) - starts[flight],
    )
