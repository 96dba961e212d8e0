"""Where a run writes, and whether it may."""

from __future__ import annotations

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

    def prepare(self, run: str, *, force: bool, resume: bool = False) -> None:
        """Makes the folders and the way free, or refuses to write over another run's files.

        With ``force`` the old files go first, the metrics before all others: what is left never looks like a run. With
        ``resume`` an unfinished run's files stay, to be continued; without a state to continue from they go.
        """
        files = (*artifact_paths(self.folder, run), self.checkpoint, self.state)
        present = [path for path in files if path.exists()]
        if resume and metrics_path(self.folder, run) in present:
            raise ConfigError(f"{present[0]}: run '{run}' is complete; there is nothing to resume")
        if present and not (force or resume):
            raise ConfigError(
                f"{present[0]}: run '{run}' is already there; use --force to replace it, --resume to go on where it was "
                "cut off, or set run_name"
            )
        if not (resume and self.state in present):
            for path in present:
                path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)


def writable(folder: Path, option: str) -> None:
    """Makes the folder that ``option`` named, before hours are spent on what could not be written there.

    Raises
    ------
    ConfigError
        Where it cannot be made, or is no folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{option}: {folder}: cannot be made ({error.strerror or error}); choose a writable folder"
        ) from None
