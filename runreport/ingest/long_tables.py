"""Tables with more than one row an epoch: a row a split, a row a metric, or several runs among each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from runreport.ingest.columns import FILED_UNDER, KNOWN, plain
from runreport.ingest.documents import MOST_COLUMNS, RUNWIDE, SPLIT_KEYS, split_of
from runreport.ingest.table import MISSING, Table, is_number, to_float
from runreport.marks import clean
from runreport.run import Note
from runreport.wording import plural

METRIC_KEYS = ("metric", "metric_name", "key", "tag", "variable", "measure", "name", "attribute_path", "series")
VALUE_KEYS = ("value", "metric_value", "val", "score", "float_value")
"""Columns of a table with a row a metric: what it is, and its value."""
RUN_KEYS = (
    "run", "run_id", "run_name", "run_uuid", "experiment", "trial", "trial_id", "seed", "fold", "kfold", "cv_fold",
    "repeat", "model", "model_name", "method", "algorithm", "variant", "config", "setting",
)  # fmt: skip
"""Columns that may say whose row it is where several runs stand in one table."""
GROUPS = (
    "dataset",
    "data_set",
    "task",
    "target",
    "optimizer",
    "lr",
    "learning_rate",
    "batch_size",
    "hidden_size",
    "dropout",
)
"""Columns that tell runs apart only beside those: of one alone, a table of a single run may have a column as well."""
MOST_KEYS = 3
"""Columns that together tell runs apart: data set, method and seed; of more, nothing is left that a name could say."""
MOST_RUNS = 1_000
"""Runs taken from one table: a search over settings has hundreds."""
MOST_LABEL = 60


def untangled(table: Table) -> list[tuple[str, Table]]:
    """(label, table with a column a figure) of each run in the table; the label is empty where it holds one.

    Nothing is done to a table whose rows are told apart by the epoch alone.
    """
    names = {plain(name): name for name in reversed(table.header)}
    axis = next((name for name in table.header if KNOWN.get(plain(name)) == "epoch"), None)
    if axis is None:
        return [("", table)]
    return [
        (label, _in_order(one, _by_split(_by_metric(one, axis)), axis)) for label, one in _by_run(table, axis, names)
    ]


def _in_order(before: Table, after: Table, axis: str) -> Table:
    """``after`` by epoch, where ``before`` had block after block of epochs (one a metric or a split) and they are of one run.

    Epochs that start again would be another run; here each row is the only one of its epoch, metric and split.
    """
    if after.header == before.header or axis not in after.header:
        return after
    try:
        epochs = [to_float(cell) for cell in after.column(axis)]
    except ValueError:
        return after
    apart = [c for c in map(before.column, before.header) if not any(map(is_number, c))]
    if len(set(zip(epochs, *apart, strict=True))) < len(epochs):
        return after
    order = sorted(range(len(epochs)), key=lambda i: epochs[i])
    return replace(after, rows=tuple(after.rows[i] for i in order), lines=tuple(after.lines[i] for i in order))


def _by_run(table: Table, axis: str, names: Mapping[str, str]) -> list[tuple[str, Table]]:
    """A table for each run where the epochs of several stand in one; by the column that tells their rows apart."""
    epochs = table.column(axis)
    others = [n for n in (*METRIC_KEYS, *SPLIT_KEYS) if n in names and _texts(table, names[n])]
    split = _split_column(table)
    others += [] if split is None or plain(split) in others else [plain(split)]
    apart = [table.column(names[n]) for n in others]
    if len(set(zip(epochs, *apart, strict=True))) == len(epochs):
        return [("", table)]
    keys = [k for k in RUN_KEYS if k in names and k not in others and len(set(table.column(names[k]))) > 1]
    groups = [k for k in GROUPS if keys and k in names and k not in others and len(set(table.column(names[k]))) > 1]
    for size in range(1, MOST_KEYS + 1):
        for chosen in combinations([*keys, *groups], size):
            if chosen[0] in groups:
                continue
            cells = list(zip(*(table.column(names[k]) for k in chosen), strict=True))
            labels = list(dict.fromkeys(cells))
            rows = len(set(zip(cells, epochs, *apart, strict=True)))
            if len(labels) <= MOST_RUNS and all(map(all, labels)) and rows == len(epochs):
                return _runs_by(table, [names[k] for k in chosen], chosen, cells)
    return [("", table)]


def _runs_by(
    table: Table, columns: Sequence[str], keys: Sequence[str], cells: Sequence[tuple[str, ...]]
) -> list[tuple[str, Table]]:
    """A table for each run, without the columns that told it apart; its label is what stands in them."""
    told = ", ".join(map(clean, columns))
    of_label: dict[tuple[str, ...], list[int]] = {}
    for i, cell in enumerate(cells):
        of_label.setdefault(cell, []).append(i)
    note = Note(code="mapped", message=f"the file holds {plural(len(of_label), 'run')}, told apart by {told}")
    keep = [i for i, name in enumerate(table.header) if name not in columns]
    rest = replace(
        table,
        header=tuple(table.header[i] for i in keep),
        rows=tuple(tuple(row[i] for i in keep) for row in table.rows),
    )
    return [(", ".join(map(_label, keys, label)), _rows(rest, of_label[label], [note])) for label in of_label]


def _label(key: str, label: str) -> str:
    """``fold 3`` of a number, a name as it is."""
    shown = clean(label)[:MOST_LABEL].strip()
    return f"{key.replace('_', ' ')} {shown}" if shown.isdigit() else shown or "unnamed"


def _rows(table: Table, kept: Sequence[int], notes: Sequence[Note] = ()) -> Table:
    return replace(
        table,
        rows=tuple(table.rows[i] for i in kept),
        lines=tuple(table.lines[i] for i in kept),
        notes=(*table.notes, *notes),
    )


def _texts(table: Table, name: str) -> bool:
    """Whether a column holds a few words and no numbers."""
    cells = set(table.column(name)) - {""}
    return bool(cells) and len(cells) <= MOST_COLUMNS and not any(map(is_number, cells))


def _by_metric(table: Table, axis: str) -> Table:
    """``epoch, metric, value`` with a column for each metric; each row keeps its one figure."""
    by_plain = {plain(name): name for name in table.header}
    key = next((by_plain[n] for n in METRIC_KEYS if n in by_plain and _texts(table, by_plain[n])), None)
    value = next((by_plain[n] for n in VALUE_KEYS if n in by_plain), None)
    if key is None or value is None or value == axis:
        return table
    kinds = list(dict.fromkeys(cell for cell in table.column(key) if cell))
    if not any(KNOWN.get(plain(kind).removeprefix(FILED_UNDER)) for kind in kinds) and not any(
        split_of(plain(k).removeprefix(FILED_UNDER).split("_")[0]) for k in kinds
    ):
        return table
    keep = [name for name in table.header if name not in (key, value) and name not in kinds]
    at, of = table.header.index(value), table.header.index(key)
    indexes = [table.header.index(name) for name in keep]
    rows = tuple(
        (*(row[i] for i in indexes), *(row[at] if row[of] == kind else "" for kind in kinds)) for row in table.rows
    )
    note = Note(code="mapped", message=f"a row a metric: {clean(value)} was read under the names in {clean(key)}")
    return replace(table, header=(*keep, *kinds), rows=rows, notes=(*table.notes, note))


def _by_split(table: Table) -> Table:
    """A column for each split where a column of words says which split a row is of; what is of the run keeps its name."""
    key = _split_column(table)
    if key is None:
        return table
    words = [split_of(cell) or "" for cell in table.column(key)]
    of_split = [
        name for name in table.header
        if name != key and KNOWN.get(plain(name)) not in RUNWIDE and split_of(plain(name).split("_")[0]) is None
        and KNOWN.get(plain(name)) != "epoch"
    ]  # fmt: skip
    kept = [name for name in table.header if name != key and name not in of_split]
    splits = list(dict.fromkeys(words))
    header = (*kept, *(f"{split}_{name}" for split in splits for name in of_split))
    if len(set(header)) < len(header):
        return table
    index = {name: i for i, name in enumerate(table.header)}
    rows = tuple(
        (*(row[index[n]] for n in kept), *(row[index[n]] if word == s else "" for s in splits for n in of_split))
        for row, word in zip(table.rows, words, strict=True)
    )
    note = Note(code="mapped", message=f"the split of each row was told by {clean(key)}")
    return replace(table, header=header, rows=rows, notes=(*table.notes, note))


def _split_column(table: Table) -> str | None:
    """The column that says which split a row is of: by its name, else the one whose cells are all such words, and several.

    ``data`` of R's keras (training, validation), ``metric.context.subset`` of Aim.
    """
    named = [n for n in table.header if plain(n) in (*SPLIT_KEYS, "set")]
    by_name = next((n for n in named if _all_splits(table, n)), None)
    if by_name is not None:
        return by_name
    others = [
        n for n in table.header if n and n not in named and _all_splits(table, n) and len(set(table.column(n))) > 1
    ]
    return others[0] if len(others) == 1 else None


def _all_splits(table: Table, name: str) -> bool:
    cells = set(table.column(name))
    return bool(cells) and not cells & MISSING and all(split_of(cell) is not None for cell in cells)
