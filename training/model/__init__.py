"""The network that estimates a height from frames and angles."""

from training.model.network import HeightNetwork

__all__ = ["HeightNetwork"]
