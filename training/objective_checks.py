"""Settings of the objective that must fit each other."""

from __future__ import annotations

from itertools import pairwise

from training.config import Config
from training.errors import ConfigError

OVER_A_BATCH = frozenset({"ccc", "balanced_mse"})
"""Losses that compare the samples of a batch: of one sample they are 0, without gradient."""
PADDING_BINS = 6.0  # σ of padding that HL-Gauss needs in all; training.losses.hl_gauss says why


def check_objective(config: Config, *, where: str) -> None:
    """Refuses combinations that no single range can; ConfigError in one line."""
    problem = _problem(config)
    if problem is not None:
        raise ConfigError(f"{where}: {problem}")


def _problem(config: Config) -> str | None:
    parts = set(config.mixed_losses) if config.loss == "mixed" else {config.loss}
    if config.batch_size < 2 and parts <= OVER_A_BATCH:
        return (
            f"batch_size: found {config.batch_size}; loss {config.loss} compares samples of a batch: expected 2 or more"
        )
    if config.loss == "mixed" and len(config.mixed_losses) != len(config.mixed_weights):
        losses, weights = len(config.mixed_losses), len(config.mixed_weights)
        return f"mixed_weights: found {weights} weights for {losses} mixed_losses; expected one each"
    if config.loss == "mixed" and sum(config.mixed_weights) == 0:
        return "mixed_weights: found only zeros; expected a weight above 0"
    if config.loss == "quantile":
        levels = list(config.quantiles)
        if 0.5 not in levels or any(later <= level for level, later in pairwise(levels)):
            return f"quantiles: found {levels}; expected rising levels with 0.5 among them, the point prediction"
    if config.loss == "hl_gauss" and config.hl_gauss_bins <= PADDING_BINS * config.hl_gauss_sigma:
        least = int(PADDING_BINS * config.hl_gauss_sigma) + 1
        return f"hl_gauss_bins: found {config.hl_gauss_bins}; expected at least {least}, for the padding at both ends"
    return None
