"""Which advice applies, in the order in which it must be taken: the first that applies leads.

A later step rests on the earlier ones being done: recalibrating a run whose learning rate never rose mends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from runreport.advice import calibration, carry_over, integrity, optimisation, rate, signal, stopping
from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice
from runreport.advice.refutation import refutation
from runreport.context import Context
from runreport.findings import Finding

STEPS: tuple[Callable[[Evidence], Advice | None], ...] = (
    integrity.mend_log,
    integrity.leave_out_input,
    signal.turn_sign,
    rate.end_warmup,
    rate.log_rate,
    rate.bring_rate_back,
    stopping.extend_short_run,
    stopping.wait_longer,
    stopping.stop_later,
    calibration.lower_penalty,
    calibration.drop_noisy_penalty,
    rate.lower_rate,
    rate.look_at_evaluation,
    rate.raise_rate,
    optimisation.match_scale,
    signal.move_output,
    stopping.pick_better_epoch,
    optimisation.lower_decay,
    calibration.remove_bias,
    calibration.widen_output,
    calibration.narrow,
    calibration.widen,
    optimisation.regularise,
    signal.find_information,
    signal.raise_capacity,
    stopping.train_longer,
    carry_over.carry_over,
)
"""Training that went on at a wrong rate or was cut off comes before what the loss asks for, that before which epoch is kept,
and mean and spread after it: each is judged on a model that the earlier ones change. A new piece of advice is a function and
a line here."""

OF_THE_LOG = ("log.", "lr.", "loss.", "gradient.")
"""Beginnings of the rules that judge the log of the training itself and not the final figures."""

SCALE = "scale.mismatch"
OF_MEAN_AND_SPREAD = ("bias.dominates", "data.shift", "spread.over", "spread.under")
"""What predictions on another scale show as well; no step of its own beside the one that mends the scale."""

MOST = 5
"""Steps shown: a list that is longer is not followed, and the later ones change once the first is done."""


def _of_the_log(advice: Advice) -> bool:
    return all(rule.startswith(OF_THE_LOG) for rule in advice.because)


def give_advice(context: Context, findings: Sequence[Finding]) -> tuple[Advice, ...]:
    """What to do next, the most urgent first; one "no change is warranted" where nothing applies.

    Each with the tests that would refute it.
    """
    evidence = Evidence(context=context, findings=tuple(findings))
    return tuple(replace(advice, refutation=refutation(advice, evidence)) for advice in _given(evidence))


def _given(evidence: Evidence) -> tuple[Advice, ...]:
    more = signal.evaluate_on_more(evidence)
    if more is not None:
        # What the log itself shows (a loss that is no number, a rate that never rose) does not rest on these samples.
        logged = [advice for step in STEPS if (advice := step(evidence)) is not None and _of_the_log(advice)]
        return (more, *logged[: MOST - 1])
    given = [advice for step in STEPS if (advice := step(evidence)) is not None]
    if given and SCALE in given[0].because:
        # Mean and spread are read off predictions on the wrong scale: what is left of either is known once it is mended.
        bounds = evidence.interval("pearson_r")
        follows = bounds is not None and bounds[0] > 0  # predictions that do are constant in the target's units only
        told = {*OF_MEAN_AND_SPREAD, "collapse.constant"} if follows else set(OF_MEAN_AND_SPREAD)
        given = [advice for advice in given if not set(advice.because) & told]
    given = given[:MOST]
    return tuple(given) or (signal.follow_remedy(evidence) or signal.no_change(evidence),)
