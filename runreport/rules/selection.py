"""The selection family: was the right epoch saved, and can that be known at all."""

from __future__ import annotations

from runreport.rules.base import Rule
from runreport.rules.selection_collapse import COLLAPSED_PICK
from runreport.rules.selection_patience import STOPPED_SHORT
from runreport.rules.selection_policy import MONITORS_DISAGREE, NOT_THE_POLICY
from runreport.rules.selection_proof import INDISTINGUISHABLE, OPTIMISM, WRONG_PICK
from runreport.rules.selection_timing import TOO_EARLY, TOO_LATE

RULES: tuple[Rule, ...] = (
    WRONG_PICK,
    COLLAPSED_PICK,
    INDISTINGUISHABLE,
    NOT_THE_POLICY,
    MONITORS_DISAGREE,
    TOO_EARLY,
    TOO_LATE,
    STOPPED_SHORT,
    OPTIMISM,
)
