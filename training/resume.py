"""Where a run stands after an epoch, on disk: what ``--resume`` carries on from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from runreport.artifacts import write_atomically
from training.config import Config
from training.errors import ConfigError

Row = dict[str, float | int | None]
STATE_VERSION = 1  # of the file; a state of another version is refused, not guessed at


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Everything that the epochs to come depend on, after the last epoch of ``rows``.

    ``trainer`` is the trainer's own state (weights, optimizer, loss scale, order of batches). ``rows`` is the history so
    far: schedule and stopping follow from it. ``hard_weight`` weighs the next epoch's samples. ``val_pred`` holds the
    validation predictions of every epoch, (epochs, n). ``generators`` are torch's random states: the CPU's and, on CUDA,
    the device's. ``stopped_because`` is None while there are epochs to come.
    """

    config: dict[str, Any]
    rows: list[Row]
    trainer: dict[str, Any]
    hard_weight: Tensor | None
    val_pred: Tensor
    generators: dict[str, Tensor]
    stopped_because: str | None

    @property
    def epoch(self) -> int:
        """The last epoch that ended, from 1."""
        return len(self.rows)


def state_path(checkpoint: Path) -> Path:
    """Beside the best weights.

    >>> state_path(Path("runs/run4.pt")).as_posix()
    'runs/run4.state.pt'
    """
    return checkpoint.with_suffix(".state.pt")


def save_state(path: Path, state: RunState) -> None:
    """Writes the state by atomic rename: a kill leaves the state of the epoch before."""
    document = {"version": STATE_VERSION, **{name: getattr(state, name) for name in RunState.__slots__}}
    write_atomically(path, lambda part: torch.save(document, part))


def load_state(path: Path, config: Config, *, device: torch.device) -> RunState | None:
    """The saved state with its tensors on ``device``; None where there is none.

    Read with ``weights_only=True``: tensors and plain values, never code. ConfigError where it is damaged, of another
    version, or of a run with another configuration: that run could not be continued to the same numbers.
    """
    if not path.exists():
        return None
    try:
        document = torch.load(path, map_location=device, weights_only=True)
        version = document.pop("version")
        if version != STATE_VERSION:
            raise ConfigError(
                f"{path}: found state version {version}; expected {STATE_VERSION}; start over with --force"
            )
        state = RunState(**document)
    except ConfigError:
        raise
    except Exception as error:  # torch.load raises whatever a damaged archive trips over
        reason = str(error).splitlines()[0][:120] if str(error) else "no reason given"
        raise ConfigError(
            f"{path}: cannot be read ({type(error).__name__}: {reason}); start over with --force"
        ) from error
    change = differing(state.config, config.to_dict())
    if change is not None:
        key, before, now = change
        raise ConfigError(
            f"{path}: {key} was {before!r} and is {now!r} now; resume with the same configuration, or start over with --force"
        )
    return state


def generators(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's global random generators, for :func:`restore_generators`."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_generators(states: dict[str, Tensor], device: torch.device) -> None:
    """Puts the global random generators where they were."""
    torch.set_rng_state(states["cpu"].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"].cpu(), device)


def differing(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> tuple[str, Any, Any] | None:
    """The first key whose value is not the same, with both values."""
    for key in sorted(before.keys() | now.keys()):
        one, other = before.get(key), now.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            inner = differing(one, other, f"{prefix}{key}.")
            if inner is not None:
                return inner
        elif _plain(one) != _plain(other):
            return f"{prefix}{key}", one, other
    return None


def _plain(value: Any) -> Any:
    """Tuples as lists: which of the two a setting was before saving says nothing.

    >>> _plain((0.1, 0.9))
    [0.1, 0.9]
    """
    return list(value) if isinstance(value, tuple) else value
