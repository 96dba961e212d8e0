"""Factors on λ as functions of the epoch, which counts from 1."""

from __future__ import annotations

import math


def source_decay(epoch: int, *, excess: float, decay: float) -> float:
    """``excess·decay^epoch + 1``; the source's ``5·0.8^epoch + 1`` with excess 5 and decay 0.8.

    Epochs count from 1, as in the source's tables: the first factor is then the 5.0 that the source says it starts at.

    >>> source_decay(1, excess=5.0, decay=0.8), round(source_decay(10, excess=5.0, decay=0.8), 3)
    (5.0, 1.537)
    """
    return float(excess * decay**epoch + 1.0)


def _progress(epoch: int, epochs: int) -> float:
    """0 in the first epoch, 1 from epoch ``epochs`` on; a course of one epoch is over at once."""
    return min(1.0, (epoch - 1) / (epochs - 1)) if epochs > 1 else 1.0


def linear(epoch: int, *, start: float, end: float, epochs: int) -> float:
    """A straight line from ``start`` in epoch 1 to ``end`` in epoch ``epochs``, then ``end``.

    >>> [linear(epoch, start=1.0, end=0.0, epochs=5) for epoch in (1, 2, 5, 9)]
    [1.0, 0.75, 0.0, 0.0]
    """
    return start + (end - start) * _progress(epoch, epochs)


def cosine(epoch: int, *, start: float, end: float, epochs: int) -> float:
    """Half a cosine between the same ends (as Loshchilov & Hutter 2017, arXiv:1608.03983, for the learning rate).

    >>> [round(cosine(epoch, start=1.0, end=0.0, epochs=5), 4) for epoch in (1, 2, 3, 5, 9)]
    [1.0, 0.8536, 0.5, 0.0, 0.0]
    """
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * _progress(epoch, epochs)))
