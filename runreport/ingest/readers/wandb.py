"""Weights & Biases on disk: final figures from ``wandb-summary.json``; the history is in a file only wandb reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import flat, read_yaml
from runreport.ingest.series import runs_of_series
from runreport.ingest.table import read_bytes
from runreport.marks import clean
from runreport.run import Note, Run

RUN_FOLDER = re.compile(r"(offline-)?run-\d{8}_\d{6}-\w+")
LOG = re.compile(r"run-\w+\.wandb")
SUMMARY, CONFIG = "wandb-summary.json", "config.yaml"
BESIDE = (SUMMARY, CONFIG, "wandb-metadata.json", "requirements.txt", "conda-environment.yaml", "output.log")
"""Files of a run that belong to it and are no other reader's."""
ADVICE = (
    "send it to a server with `wandb sync RUN_FOLDER` and export it: "
    "pandas.DataFrame(wandb.Api().run('ENTITY/PROJECT/ID').scan_history()).to_csv('run.csv')"
)


def claim(path: Path, head: Head) -> Claim | None:  # noqa: ARG001  (every claim takes both)
    """The files of a run folder by their names, and a summary on its own."""
    folder = path.parent
    if LOG.fullmatch(path.name):
        return Claim(root=folder, run=folder.resolve().name, kind="log")
    if folder.name in ("files", "logs") and RUN_FOLDER.fullmatch(folder.parent.name):
        if path.name in BESIDE or (folder.name == "logs" and path.suffix == ".log"):
            return Claim(root=folder.parent, run=folder.parent.name, kind=path.name)
        return None
    return Claim(root=folder, run=folder.resolve().name, kind=SUMMARY) if path.name == SUMMARY else None


def complete(source: Source) -> Source:
    """The summary and the config of the run folder, whichever file was named."""
    folders = (source.root / "files", source.root)
    files = {
        name: folder / name for folder in reversed(folders) for name in (SUMMARY, CONFIG) if (folder / name).is_file()
    }
    if SUMMARY not in files:
        files = {}
    return replace(source, files={**files, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """A run of its last values, with a note that its history was not read.

    Raises
    ------
    InputError
        There is no summary, or none of its figures is known: the message says how to export the run.
    """
    if SUMMARY not in source.files:
        found = "a W&B run without a summary; its log is in a format that only wandb reads"
        raise InputError(source.root, found=found, remedy=ADVICE)
    path = source.files[SUMMARY]
    final = _last_values(path)
    config: dict[str, object] = {}
    notes = [Note(code="derived", message=f"these are the last values logged; the history was not read: {ADVICE}")]
    if CONFIG in source.files:
        try:
            config = _config(read_yaml(source.files[CONFIG]))
        except InputError as error:
            notes.append(Note(code="derived", message=f"{CONFIG} was not used: {clean(error.found)}"))
    try:
        return runs_of_series(source, path, {}, options.columns, final=final, config=config, notes=notes)
    except InputError as error:
        raise InputError(path, found=error.found, expected=error.expected, remedy=ADVICE) from None


def _last_values(path: Path) -> Mapping[str, float]:
    """Name -> last value; W&B's own entries begin with an underscore."""
    try:
        document = json.loads(read_bytes(path, "a JSON object of last values"))
    except (ValueError, RecursionError):
        raise InputError(path, found="not JSON", expected="a JSON object of last values") from None
    values: dict[str, float] = {}
    for name, value in flat(document).items():
        if not name.startswith("_") and isinstance(value, int | float) and not isinstance(value, bool):
            try:
                values[name.replace(".", "/")] = float(value)
            except OverflowError:
                continue
    return values


def _config(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings without W&B's own and without the ``value`` that it puts around each."""
    own = ("_wandb", "wandb_version")
    kept = {name: value for name, value in settings.items() if not name.startswith(own) and not name.endswith(".desc")}
    return {name.replace(".value.", ".").removesuffix(".value"): value for name, value in kept.items()}


READER = Reader(
    name="wandb",
    reads="Weights & Biases: wandb-summary.json (last values); run-*.wandb is refused with the way to export it",
    claim=claim,
    read=read,
    complete=complete,
)
