"""Many small runs at once: their networks stacked, so that a step of all costs little more than a step of one."""

from training.ensemble.member import Member, Trained
from training.ensemble.together import train_together

__all__ = ["Member", "Trained", "train_together"]
