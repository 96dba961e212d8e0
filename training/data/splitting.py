"""Which sample trains, which validates, which tests."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from training.config import DataConfig
from training.data.dataset import Dataset
from training.data.pool import Pool
from training.errors import ConfigError

Codes = NDArray[np.int64]
TRAIN, VAL, TEST = 0, 1, 2
NAMES = ("train", "val", "test")
WORDS = {"train": TRAIN, "val": VAL, "valid": VAL, "validation": VAL, "dev": VAL, "test": TEST}
"""What a split column may say."""
FEWEST = 2
"""Samples that each split needs: a std or an R² of one sample is undefined."""


def split_pool(pool: Pool, data: DataConfig) -> Dataset:
    """The three splits as ``data.split`` asks; ConfigError where it cannot be done or leaves fewer than two samples.

    Samples stay sorted by group and time within each split; ``local_indices`` count over the whole group.
    """
    codes = assign(pool, data)
    for code, name in enumerate(NAMES):
        found = int((codes == code).sum())
        if found < FEWEST:
            raise ConfigError(f"data.split: {data.split}: {found} {name} samples; expected at least {FEWEST}")
    train, val, test = (
        pool.samples.select(torch.from_numpy(np.flatnonzero(codes == code)).to(pool.samples.target.device))
        for code in (TRAIN, VAL, TEST)
    )
    return Dataset(train=train, val=val, test=test, input_names=pool.input_names)


def assign(pool: Pool, data: DataConfig) -> Codes:
    """0 (train), 1 (val) or 2 (test) for each sample of the pool, (n,)."""
    if data.val_fraction + data.test_fraction >= 1:
        raise ConfigError("data.val_fraction: together with test_fraction at least 1; nothing is left to train on")
    if data.split == "column":
        return _by_column(pool, data)
    if data.split == "time":
        return _by_time(pool, data)
    if data.split == "random":
        return _at_random(pool, data)
    if data.split in ("group", "loo"):
        return _by_group(pool, data)
    raise ConfigError(
        f"data.split: found {data.split}; data.kind {data.kind} has no splits of its own: "
        "expected column, group, loo, time or random"
    )


def _by_column(pool: Pool, data: DataConfig) -> Codes:
    if pool.part is None:
        raise ConfigError("data.split_column: found nothing; data.split column needs the name of a column or array")
    unknown = sorted(set(pool.part) - set(WORDS))
    if unknown:
        raise ConfigError(f"data.split_column: '{data.split_column}' says {unknown[0]!r}; expected train, val or test")
    return np.array([WORDS[word] for word in pool.part], dtype=np.int64)


def _by_time(pool: Pool, data: DataConfig) -> Codes:
    """The earliest train, the latest test, over all groups. Samples of one time stay together, in the later split."""
    count = len(pool.samples)
    ordered = np.sort(pool.rank)
    test_from = ordered[count - max(round(data.test_fraction * count), 1)]
    val_from = ordered[count - min(max(round((data.val_fraction + data.test_fraction) * count), 2), count)]
    return np.where(pool.rank >= test_from, TEST, np.where(pool.rank >= val_from, VAL, TRAIN))


def _at_random(pool: Pool, data: DataConfig) -> Codes:
    if pool.grouped and len(pool.samples.flight_names) > 1:
        raise ConfigError(
            "data.split: random would put samples of one group into several splits; use split: group or loo, or leave "
            "data.group out"
        )
    count = len(pool.samples)
    order = np.random.default_rng(data.seed).permutation(count)
    tests, vals = round(data.test_fraction * count), round(data.val_fraction * count)
    codes = np.full(count, TRAIN, dtype=np.int64)
    codes[order[:tests]] = TEST
    codes[order[tests : tests + vals]] = VAL
    return codes


def _by_group(pool: Pool, data: DataConfig) -> Codes:
    names = pool.samples.flight_names
    if len(names) < 3:
        raise ConfigError(f"data.split: {data.split} needs at least 3 groups in data.group; found {len(names)}")
    sizes = np.bincount(pool.samples.flight.cpu().numpy(), minlength=len(names))
    if data.split == "loo":
        test, val = _leave_one_out(names, data)
    else:
        test = _named(names, data.test_groups, "test_groups")
        val = _named(names, data.val_groups, "val_groups")
        both = test & val
        if both:
            raise ConfigError(f"data.val_groups: '{sorted(both)[0]}' is among the test_groups as well")
        rest = [name for name in np.random.default_rng(data.seed).permutation(names).tolist() if name not in test | val]
        by_name = dict(zip(names, sizes.tolist(), strict=True))
        if not test:
            # One group has to stay for training, and one for validation where none is named for it.
            test = _draw(rest, by_name, data.test_fraction * len(pool.samples), keep=1 if val else 2)
            rest = [name for name in rest if name not in test]
        if not val:
            val = _draw(rest, by_name, data.val_fraction * len(pool.samples), keep=1)
    code_of = [TEST if name in test else VAL if name in val else TRAIN for name in names]
    return np.take(np.array(code_of, dtype=np.int64), pool.samples.flight.cpu().numpy())


def _leave_one_out(names: tuple[str, ...], data: DataConfig) -> tuple[set[str], set[str]]:
    if data.loo_group not in names:
        raise ConfigError(f"data.loo_group: found {data.loo_group!r}; expected one of {', '.join(names)}")
    val = _named(names, data.val_groups, "val_groups")
    if data.loo_group in val:
        raise ConfigError(f"data.val_groups: '{data.loo_group}' is the loo_group as well")
    following = names[(names.index(data.loo_group) + 1) % len(names)]
    return {data.loo_group}, val or {following}


def _named(names: tuple[str, ...], listed: str | None, key: str) -> set[str]:
    wanted = {name.strip() for name in listed.split(",")} if listed is not None else set()
    unknown = sorted(wanted - set(names))
    if unknown:
        raise ConfigError(f"data.{key}: found {unknown[0]!r}; expected some of {', '.join(names)}")
    return wanted


def _draw(candidates: list[str], sizes: dict[str, int], wanted: float, *, keep: int) -> set[str]:
    """Groups in the given order until they hold ``wanted`` samples; at least one, and ``keep`` are left over."""
    drawn: set[str] = set()
    total = 0
    for name in candidates[: max(len(candidates) - keep, 1)]:
        if drawn and total >= wanted:
            break
        drawn.add(name)
        total += sizes[name]
    return drawn
