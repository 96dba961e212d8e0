"""Aim and SwanLab: stores that only their own programs read. They are recognised, and refused with the way out."""

from __future__ import annotations

from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.run import Run

AIM = ".aim"
"""The folder of an Aim repository."""
SWANLAB_ENDING = ".swanlab"
SWANLAB_FOLDER = "swanlog"
AIM_ADVICE = "export its metrics as CSV with Aim's own Python API (aim.Run(HASH, repo=FOLDER), then metric.dataframe())"
SWANLAB_ADVICE = "send it to a server with `swanlab sync RUN_FOLDER`, and export the charts there as CSV"


def claim(path: Path, head: Head) -> Claim | None:  # noqa: ARG001  (every claim takes both)
    """Everything in an ``.aim`` folder (one claim a repository), and SwanLab's run folders."""
    for parent in path.parents if AIM in path.parts else ():
        if parent.name == AIM:
            return Claim(
                root=parent, run=parent.parent.resolve().name or "aim", kind=path.relative_to(parent).as_posix()
            )
    if path.name.endswith(SWANLAB_ENDING):
        return Claim(root=path.parent, run=path.parent.resolve().name, kind=path.name)
    for parent in path.parents if SWANLAB_FOLDER in path.parts else ():
        if parent.parent.name == SWANLAB_FOLDER and parent.name.startswith("run-"):
            return Claim(root=parent, run=parent.name, kind=path.relative_to(parent).as_posix())
    return None


def read(source: Source, options: ReadOptions) -> list[Run]:  # noqa: ARG001
    """Nothing: raises with what to do instead.

    Raises
    ------
    InputError
        Always.
    """
    if source.root.name == AIM:
        raise InputError(source.root, found="an Aim repository, which only Aim reads", remedy=AIM_ADVICE)
    raise InputError(source.root, found="a SwanLab run, which only SwanLab reads", remedy=SWANLAB_ADVICE)


READER = Reader(
    name="private-store",
    reads="Aim (.aim) and SwanLab (.swanlab): recognised, and refused with the way to export them",
    claim=claim,
    read=read,
)
