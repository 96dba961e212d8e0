"""First of all: a log that contradicts itself supports no conclusion."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice


def mend_log(evidence: Evidence) -> Advice | None:
    """Where the log contradicts itself, or the test set leaks: find out which number is wrong before acting on any."""
    finding = evidence.found("log.inconsistent", "data.leak", at_least="critical")
    if finding is None:
        return None
    leak = finding.rule == "data.leak"
    return Advice(
        id="data.find-leak" if leak else "log.mend",
        title="Find the leak" if leak else "Find out which logged number is wrong",
        text=(
            f"{evidence.refer(finding)}: look for rows that training and evaluation share, and for inputs that hold the target."
            if leak
            else f"{evidence.refer(finding)}: recompute the metrics from saved predictions; nothing below is safe until they "
            "agree."
        ),
        because=(finding.rule,),
        acts_on=None,
        refuted_if=(
            "the two splits share no row and no input holds the target"
            if leak
            else "figures recomputed from the predictions equal the logged ones"
        ),
        ceiling_r2=evidence.ceiling,
    )
