"""What picks an epoch and ends a run. A new policy is one entry in ``POLICIES``; a new idea, one file."""

from __future__ import annotations

import dataclasses

from training.config import Config
from training.stopping.early import EarlyStopping
from training.stopping.emergency import EmergencyStop
from training.stopping.policies import POLICIES, Policy

__all__ = ["POLICIES", "EarlyStopping", "EmergencyStop", "Policy", "make_early_stopping", "make_emergency_stop"]


def make_early_stopping(config: Config) -> EarlyStopping:
    """Early stopping on the policy that ``config.early_stopping`` names, under ``config.ratio_floor`` where set."""
    policy = POLICIES[config.early_stopping]
    if config.ratio_floor is not None:
        policy = dataclasses.replace(policy, floor=config.ratio_floor)
    return EarlyStopping(policy, patience=config.patience, min_delta=config.min_delta, warmup=config.stopping_warmup)


def make_emergency_stop(config: Config) -> EmergencyStop | None:
    """The emergency stop, or None where it is off."""
    if config.emergency_stop_ratio is None:
        return None
    return EmergencyStop(ratio=config.emergency_stop_ratio, after=config.emergency_stop_after)
