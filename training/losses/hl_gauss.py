"""HL-Gauss: regression as classification over a histogram, with targets smeared by a Gaussian."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.losses.base import BaseLoss, by_sample
from training.objective_checks import PADDING_BINS
from training.standardisation import TargetStatistics

PADDING_SIGMAS = (
    PADDING_BINS / 2.0
)  # on each side; the histogram reaches this far beyond the training targets: 99.9 % of an extreme target's smear


def bin_edges(statistics: TargetStatistics, *, bins: int, sigma: float) -> tuple[Tensor, float]:
    """Edges (bins + 1,), float64, of equal bins, and σ in units of the loss. ``sigma`` is σ in bin widths.

    The bins cover the training targets and ``PADDING_SIGMAS``·σ beyond them on both sides; bin width and σ follow from
    that together: width = range/(bins - 2·PADDING_SIGMAS·sigma), so ``bins`` must exceed that product. Targets that
    are all equal get a range of 1 around them.
    """
    low, high = statistics.least, statistics.largest
    if not high > low:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / (bins - 2.0 * PADDING_SIGMAS * sigma)
    padding = PADDING_SIGMAS * sigma * width
    return torch.linspace(low - padding, high + padding, bins + 1, dtype=torch.float64), sigma * width


def smeared(y_true: Tensor, edges: Tensor, sigma: float) -> Tensor:
    """(n,) targets → (n, bins) probabilities: a Gaussian of width σ around each target, cut to the histogram.

    ``p[k] = (Φ((e[k+1] - y)/σ) - Φ((e[k] - y)/σ)) / (Φ((e[-1] - y)/σ) - Φ((e[0] - y)/σ))``. Imani & White 2018,
    arXiv:1806.04613. A target outside the histogram (possible outside the training split) counts as lying at its edge.
    """
    held = y_true.clamp(edges[0], edges[-1])
    cumulative = torch.special.ndtr((edges - held[:, None]) / sigma)  # (n, bins + 1)
    probabilities: Tensor = cumulative.diff(dim=1) / (cumulative[:, -1:] - cumulative[:, :1])
    return probabilities


def hl_gauss_loss(statistics: TargetStatistics, device: torch.device, *, bins: int, sigma: float) -> BaseLoss:
    """Cross-entropy between the smeared target and the softmax of ``bins`` outputs.

    Farebrother et al. 2024, arXiv:2403.03950 (σ = 0.75 bin widths). The point prediction is the mean of the predicted
    histogram, ``Σ p·centre``: it cannot leave the histogram. It starts as a normal histogram of the training targets'
    spread around the wanted number (held within the targets' range); cut at the edges, its mean lies a little inwards.
    The loss does not reach 0: its least value is the smear's entropy, 1.20 nats at 0.75 bin widths.
    """
    wide_edges, width = bin_edges(statistics, bins=bins, sigma=sigma)
    middles = (wide_edges[1:] + wide_edges[:-1]) / 2.0
    edges, centres = wide_edges.float().to(device), middles.float().to(device)

    def sample_loss(outputs: Tensor, y_true: Tensor) -> Tensor:
        wanted = smeared(y_true, edges.to(y_true.dtype), width)
        return -(wanted * functional.log_softmax(outputs, dim=1)).sum(dim=1)

    def point(outputs: Tensor) -> Tensor:
        return outputs.softmax(dim=1) @ centres.to(outputs.dtype)

    def start(value: float) -> Tensor:
        held = min(max(value, statistics.least), statistics.largest)
        return (-0.5 * ((middles - held) / statistics.spread).square()).float()

    return BaseLoss(batch_loss=by_sample(sample_loss), outputs=bins, point=point, start=start)
