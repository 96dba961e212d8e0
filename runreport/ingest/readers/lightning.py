"""PyTorch Lightning's CSVLogger: ``version_N/metrics.csv`` with ``hparams.yaml``; and test-tube's, before Lightning 0.7."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import MAX_SETTINGS, read_yaml, scalar
from runreport.ingest.table import Table, read_table
from runreport.ingest.tables import folder_name, header_of, read_others_table, without_columns
from runreport.marks import clean
from runreport.run import Note, Run

METRICS, SETTINGS, OLD_SETTINGS = "metrics.csv", "hparams.yaml", "meta_tags.csv"
FOLDER = "lightning_logs"
STEP, EPOCH = "_step", "_epoch"
"""What Lightning adds to the names of a figure that is logged both at each step and as a mean over the epoch."""


def claim(path: Path, head: Head) -> Claim | None:
    """``metrics.csv`` with Lightning's columns, its settings beside it."""
    folder = path.parent
    if path.name == METRICS:
        names = header_of(head)
        if "step" not in names and "created_at" not in names and FOLDER not in folder.parts:
            return None
        return Claim(root=folder, run=folder_name(folder), kind="history")
    if path.name in (SETTINGS, OLD_SETTINGS) and (folder / METRICS).is_file():
        return Claim(root=folder, run=folder_name(folder), kind="config")
    return None


def complete(source: Source) -> Source:
    """Metrics and settings, whichever was named."""
    files: dict[str, Path] = {}
    for kind, names in (
        ("history", (METRICS, f"{METRICS}.gz", f"{METRICS}.zst")),
        ("config", (SETTINGS, OLD_SETTINGS)),
    ):
        there = [source.root / name for name in names if (source.root / name).is_file()]
        if there:
            files[kind] = there[0]
    return replace(source, files={**files, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of one version folder; a resumed training is a version of its own.

    Raises
    ------
    InputError
        No metrics, or none that is known.
    """
    if "history" not in source.files:
        raise InputError(source.root, found=f"no {METRICS}", expected="Lightning's CSV log")
    notes: list[Note] = []
    config: dict[str, object] = {}
    if "config" in source.files:
        try:
            config = settings_of(source.files["config"])
        except InputError as error:
            name = source.files["config"].name
            notes.append(Note(code="derived", message=f"{name} was not used: {clean(error.found)}"))
    given = frozenset(options.columns.values())
    return read_others_table(
        source, options, prepare=lambda table: _epoch_means(table, given, notes), config=config, notes=notes
    )


def settings_of(path: Path) -> dict[str, object]:
    """The settings of a run: YAML, or test-tube's table of key and value."""
    if path.suffix == ".csv":
        table = read_table(path)
        if table.header != ("key", "value"):
            raise InputError(path, found=f"columns {', '.join(table.header[:5])}", expected="key,value")
        return {clean(key): scalar(value) for key, value in table.rows[:MAX_SETTINGS]}
    return read_yaml(path)


def _epoch_means(table: Table, given: frozenset[str], notes: list[Note]) -> Table:
    """Without the figures of single steps whose mean over the epoch is there too; those alone lose their ending."""
    means = {plain(name).removesuffix(EPOCH) for name in table.header if plain(name).endswith(EPOCH)}
    names = {plain(name) for name in table.header}
    twice = [
        n
        for n in table.header
        if plain(n).endswith(STEP) and plain(n).removesuffix(STEP) in means | names and n not in given
    ]
    table = without_columns(table, twice)
    header = []
    for name in table.header:
        if plain(name).endswith(STEP) and plain(name) != "global_step" and name not in given:
            short = name[: -len(STEP)]
            notes.append(
                Note(code="mapped", message=f"{clean(name)} is of single steps: the last of each epoch was taken")
            )
            header.append(short)
        else:
            header.append(name)
    return replace(table, header=tuple(header))


READER = Reader(
    name="lightning",
    reads="PyTorch Lightning's CSVLogger: lightning_logs/version_N/metrics.csv, hparams.yaml",
    claim=claim,
    read=read,
    complete=complete,
)
