"""Tables of results, which look like histories and are none: a row a model, a fold or a setting."""

from __future__ import annotations

from runreport.errors import InputError
from runreport.ingest.columns import ALIASES, map_columns, plain
from runreport.ingest.documents import measures, split_of
from runreport.ingest.history import CLOCKS, DURATIONS, INDEXES
from runreport.ingest.long_tables import RUN_KEYS
from runreport.ingest.table import MISSING, Table, to_float
from runreport.marks import clean

AXES = ("epoch", *ALIASES["epoch"])
SETTINGS = frozenset(
    (
        "batch_size", "hidden", "hidden_size", "hidden_dim", "layers", "num_layers", "n_layers", "dropout", "weight_decay",
        "n_estimators", "max_depth", "alpha", "lambda", "gamma", "c", "k", "degree", "kernel", "optimizer", "activation",
        "units", "n_neighbors", "window", "horizon", "n_train", "train_size", "dataset", "target", "feature", "features",
    )
)  # fmt: skip
"""Columns that differ between fits and are one value within one."""


def refuse_results(table: Table) -> None:
    """Refuses rows that nothing numbers and that something names: their order is no time.

    Raises
    ------
    InputError
        No epoch, step or round, and a column that names the rows (models, folds, settings).
    """
    if len(table.rows) < 2 or any(plain(name) in AXES for name in table.header):
        return
    if not any(measures(name) or split_of(plain(name).split("_")[0]) for name in table.header):
        return  # the reading says which names were looked for
    for name in table.header:
        cells = table.column(name)
        short = plain(name)
        if len(set(cells)) < 2 or any(cell.lower() in MISSING for cell in cells):
            continue
        names_rows = _are_words(cells) and len(set(cells)) == len(cells) and short not in (*CLOCKS, *DURATIONS)
        if names_rows or short in SETTINGS or (short in RUN_KEYS and short not in INDEXES):
            shown = ", ".join(clean(cell)[:30] for cell in list(dict.fromkeys(cells))[:3])
            column = f"column {clean(name)!r}" if name else "the first column"
            raise InputError(
                table.path,
                found=f"a table of results: {column} tells its {len(cells)} rows apart ({shown}, ...), none numbers epochs",
                expected="a row an epoch, with a column such as epoch, step or iteration",
                remedy="give the log of each run, or its predictions; or name the column with --column epoch=NAME",
            )


def figures_of_one_row(table: Table) -> dict[str, float] | None:
    """The figures of a table of one row that nothing numbers: they are of a whole run; None for any other table."""
    if len(table.rows) != 1 or any(plain(name) in AXES for name in table.header):
        return None
    found: dict[str, float] = {}
    for name, cell in zip(table.header, table.rows[0], strict=True):
        try:
            found[name] = to_float(cell)
        except ValueError:
            continue
    losses = map_columns(table.path, [n for n in found if "loss" in plain(n)], {})
    return None if losses else found


def _are_words(cells: list[str]) -> bool:
    def word(cell: str) -> bool:
        try:
            to_float(cell.rstrip("%"))
        except ValueError:
            return any(c.isalpha() for c in cell)
        return False

    return all(map(word, cells))
