"""First of all: a log that contradicts itself supports no conclusion."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice
from runreport.marks import clean
from runreport.wording import fixed


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


def leave_out_input(evidence: Evidence) -> Advice | None:
    """Where one input is nearly the target: train without it, and ask when it is known."""
    finding = evidence.found("data.leak")
    column = None if finding is None else finding.evidence.get("column")
    share = None if finding is None else finding.evidence.get("column_r2")
    if finding is None or not isinstance(column, str) or not isinstance(share, float):
        return None
    return Advice(
        id="data.leave-out-input",
        title="Ask whether an input is the target",
        text=(
            f"{evidence.refer(finding)}: find out how {clean(column)} is measured and whether it is known when a prediction is "
            "asked for. If it is not, train without it; if it is (in a series, the last value), judge the model against a "
            f"straight line on that column alone, whose R² on the training rows is {fixed(share)}."
        ),
        because=(finding.rule,),
        acts_on="r",
        refuted_if="the column is known before the target is, or R² does not fall when the column is left out",
        ceiling_r2=evidence.ceiling,
    )
