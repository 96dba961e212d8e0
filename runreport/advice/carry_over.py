"""Advice where the training set is fitted and what was fitted does not hold elsewhere. Acts on r."""

from __future__ import annotations

from collections.abc import Mapping

from runreport.advice.evidence import Evidence
from runreport.advice.expectation import more_information, r_refuted
from runreport.advice.record import Advice
from runreport.findings import Value
from runreport.history import History
from runreport.marks import code
from runreport.rules.data_basis import split_name
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, setting

LOST = 0.1
"""R² between the training set's and the held-out r² from which it is worth a training run: a tenth of the target's variance. It
must also be shown that any is lost: the training set's R² lies above the upper end of the held-out r²."""
MOST_FRAMES, MORE_FRAMES = 9, 2
"""Frames that the trainer takes at most, and by how many a step goes: one earlier and one later, around the same middle."""
SIMULATED = "flights"
"""The kind of data of which the trainer can make mirrored and longer samples."""


def carry_over(evidence: Evidence) -> Advice | None:
    """The training set was fitted far better than any rescaling of the held-out predictions could be."""
    final, budget, bounds = evidence.final, evidence.context.budget, evidence.interval("pearson_r")
    history = evidence.context.history
    if final is None or budget is None or bounds is None or bounds[0] <= 0 or history is None:
        return None  # without any signal that is shown, the question is whether there is one
    if not history.has("train_r2") or evidence.found("data.leak", "data.shift", "signal.inverted") is not None:
        return None
    r = evidence.value("pearson_r")
    r2 = evidence.value("r2")
    if r is None or r2 is None or (1 - r * r) < (1 - r2) / 2:
        return None  # mean or spread is the larger part of the error
    epoch, fitted = max(history.finite("train_r2"), key=lambda pair: pair[1])
    elsewhere = _best_on_validation(history)
    reachable = bounds[1] * bounds[1]
    if fitted - r * r < LOST or fitted <= reachable or elsewhere is None or fitted - elsewhere < LOST:
        return None
    limited = evidence.found("signal.limited", at_least="info")
    how, patch = _how(evidence.context.config)
    return Advice(
        id="signal.carry-over",
        title="Make what is learnt carry over",
        text=f"The training set was fitted to R² {fixed(fitted, 2)} (epoch {epoch_text(epoch)}). On the "
        f"{split_name(final.split)} set no shift or rescaling of the predictions passes R² {fixed(r * r, 2)} [at most "
        f"{fixed(reachable, 2)}], and at no epoch would any on validation have passed {fixed(elsewhere, 2)}: "
        f"{fixed(min(fitted - r * r, fitted - elsewhere), 2)} or more of what was fitted does not hold elsewhere. Either the "
        f"model lacks samples that tell what holds from what does not, or those rows are harder; a change that raises r "
        f"shows the former. {how}",
        because=() if limited is None else (limited.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, "the distance between train R² and held-out r² does not shrink"),
        ceiling_r2=evidence.ceiling,
    )


def _best_on_validation(history: History) -> float | None:
    """The highest R² that a shift and rescaling could have reached on validation at any epoch: r², or R² where no r is logged."""
    r = [value * value for _, value in history.finite("pearson_r") if value > 0]
    r2 = [value for _, value in history.finite("r2")]
    return max(r or r2, default=None)


def _how(config: Mapping[str, object]) -> tuple[str, dict[str, Value]]:
    """What to try first, and the setting that does it where this trainer has one that is not used yet."""
    data = config.get("data")
    simulated = isinstance(data, Mapping) and data.get("kind") == SIMULATED
    frames = config.get("temporal_frames")
    if simulated and config.get("augment") is False:
        return (
            f"Train on mirrored samples as well ({code('augment: true')}), which are as true as the ones they mirror. By how "
            "much r rises is not known beforehand.",
            {"augment": True},
        )
    if simulated and isinstance(frames, int) and frames + MORE_FRAMES <= MOST_FRAMES:
        return (
            f"Give the model more of each scene ({code('temporal_frames')} from {setting(frames)} to "
            f"{setting(frames + MORE_FRAMES)}): what holds over more frames is less likely to be chance. By how much r rises is "
            "not known beforehand.",
            {"temporal_frames": frames + MORE_FRAMES},
        )
    return (
        "In this order: more training samples, augmentation that keeps the truth, inputs that say more of the target, then a "
        "smaller model or more weight decay. Which of them helps these files do not tell.",
        {},
    )
