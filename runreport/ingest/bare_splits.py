"""Figures that are called ``train`` and ``val`` and nothing else: losses where they behave as one, else asked about."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import TRAIN_WORDS, VALIDATION_WORDS, plain
from runreport.wording import plural

FEWEST = 4
"""Epochs from which a figure can be seen to fall: of three, one that only scatters does so in one order of six."""
Columns = Mapping[str, Sequence[float | None]]


def bare_losses(path: Path, columns: Columns) -> dict[str, str]:
    """``train_loss`` and ``val_loss`` -> columns named ``train`` and ``val``, where the training's figure falls; else empty.

    A loss falls as it is trained on; R², correlation and accuracy rise. What is neither is not guessed at.

    Raises
    ------
    InputError
        Such columns, and what they measure cannot be seen.
    """
    train = [name for name in columns if plain(name) in TRAIN_WORDS]
    held = [name for name in columns if plain(name) in VALIDATION_WORDS]
    if len(train) != 1 or len(held) != 1:
        return {}
    if _falls(columns[train[0]]):
        return {"train_loss": train[0], "val_loss": held[0]}
    train_name, held_name = train[0], held[0]
    known = [v for v in columns[train_name] if v is not None and math.isfinite(v)]
    seen = (
        f"{train_name!r} does not fall as a loss does"
        if len(known) >= FEWEST
        else f"{plural(len(known), 'row')} cannot show it"
    )
    choices = [
        shlex.quote(f"{known}={name}")
        for known, name in (("train_loss", train_name), ("val_loss", held_name), ("r2", held_name))
    ]
    raise InputError(
        path,
        found=f"figures named {train_name!r} and {held_name!r} alone, which does not say what they measure ({seen})",
        expected="names such as train_loss, val_loss or val_r2",
        remedy="say it with --column {} --column {}, or --column {}".format(*choices),
    )


def _falls(values: Sequence[float | None]) -> bool:
    """Whether the later half lies below the earlier one, on average and at its end."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if len(known) < FEWEST:
        return False
    half = len(known) // 2
    return known[-1] < known[0] and math.fsum(known[half:]) / (len(known) - half) < math.fsum(known[:half]) / half
