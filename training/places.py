"""Where a run writes, and whether it may."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runreport.artifacts import artifact_paths, metrics_path
from training.errors import ConfigError
from training.resume import state_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run writes: its tables in ``folder``, its best weights in ``checkpoint``, its state beside them."""

    folder: Path
    checkpoint: Path

    @classmethod
    def of(cls, run: str, *, out: Path, checkpoints: Path | None = None) -> Places:
        """``out/csv`` for the tables, ``out/checkpoints/<run>.pt`` for the weights unless another folder is given."""
        return cls(folder=out / "csv", checkpoint=(checkpoints or out / "checkpoints") / f"{run}.pt")

    @property
    def state(self) -> Path:
        """Where an unfinished run stands; removed when it is complete."""
        return state_path(self.checkpoint)

    def present(self, run: str) -> list[Path]:
        """What is there of a run of that name."""
        files = (*artifact_paths(self.folder, run), self.checkpoint, self.state)
        return [path for path in files if path.exists()]

    def prepare(self, run: str, *, force: bool, resume: bool = False) -> None:
        """Makes the folders and the way free, or refuses to write over another run's files or where nothing can be written.

        With ``force`` the old files go first, the metrics before all others: what is left never looks like a run. With
        ``resume`` an unfinished run's files stay, to be continued; without a state to continue from they go.
        """
        present = self.present(run)
        if resume and metrics_path(self.folder, run) in present:
            raise ConfigError(f"{present[0]}: run '{run}' is complete; there is nothing to resume")
        if present and not (force or resume):
            raise ConfigError(
                f"{present[0]}: run '{run}' is already there; use --force to replace it, --resume to go on where it was "
                "cut off, or set run_name"
            )
        self.check_writable()
        if not (resume and self.state in present):
            for path in present:
                path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)

    def check_writable(self) -> None:
        """ConfigError where the tables or the weights could not be written."""
        check_writable(self.folder, "--out")
        check_writable(self.checkpoint.parent, "--checkpoint-dir")


def check_writable(folder: Path, option: str) -> None:
    """Whether files can be made in a folder that ``option`` decides, before hours are spent on what could not be kept.

    Nothing is left behind: of a folder that is not there yet the nearest one above it is asked.

    Raises
    ------
    ConfigError
        Where something else than a folder is in the way, or no file can be made.
    """
    there = folder.absolute()
    try:
        while not there.is_dir():
            if os.path.lexists(there):
                what = "this" if there == folder.absolute() else str(there)
                raise ConfigError(f"{folder}: {what} is not a folder; choose another with {option}")
            there = there.parent
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be written ({error.strerror or error}); choose another folder with {option}"
        ) from None
