"""Which advice applies, in the order in which it must be taken: the first that applies leads.

A later step rests on the earlier ones being done: recalibrating a run whose learning rate never rose mends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runreport.advice import calibration, integrity, optimisation, signal
from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice
from runreport.context import Context
from runreport.findings import Finding

STEPS: tuple[Callable[[Evidence], Advice | None], ...] = (
    integrity.mend_log,
    optimisation.end_warmup,
    optimisation.log_rate,
    optimisation.lower_rate,
    optimisation.raise_rate,
    optimisation.match_scale,
    signal.move_output,
    calibration.remove_bias,
    calibration.widen_output,
    calibration.lower_penalty,
    calibration.drop_noisy_penalty,
    calibration.narrow,
    calibration.widen,
    optimisation.pick_better_epoch,
    optimisation.regularise,
    signal.find_information,
    signal.raise_capacity,
    optimisation.train_longer,
)
"""In the order of the findings catalogue; a new piece of advice is a function and a line here."""

MOST = 5
"""Steps shown: a list that is longer is not followed, and the later ones change once the first is done."""


def give_advice(context: Context, findings: Sequence[Finding]) -> tuple[Advice, ...]:
    """What to do next, the most urgent first; one "no change is warranted" where nothing applies."""
    evidence = Evidence(context=context, findings=tuple(findings))
    given = [advice for step in STEPS if (advice := step(evidence)) is not None][:MOST]
    return tuple(given) or (signal.follow_remedy(evidence) or signal.no_change(evidence),)
