"""Advice on when training ends and which epoch is kept: patience, length, monitor. Acts on r."""

from __future__ import annotations

from dataclasses import dataclass

from runreport.advice.evidence import Evidence
from runreport.advice.expectation import higher_r2, more_information, r2_refuted
from runreport.advice.record import Advice, Expected
from runreport.findings import NOTICEABLE_R2, Finding, Value
from runreport.marks import code
from runreport.rules.loss_series import cut_by_limit
from runreport.rules.selection_patience import LEAST_PATIENCE
from runreport.selection.policies import MIN_DELTA, PATIENCE
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, plural, setting

LONGER = 1.5
"""Factor on the epochs when a run was cut while still improving."""
SHORT_LOG = 20
"""Epochs below which a log has no trend to go by (that of ``selection.too-late``): how much longer is then a guess."""
MUCH_LONGER = 10.0
"""Factor on the epochs of such a log: an order of magnitude, which early stopping cuts where it is too much."""
LENGTH_KEYS = ("max_epochs", "epochs", "num_epochs")
ACCURACY_MONITORS = ("r2", "val_loss", "mse", "rmse", "mae", "smoothed_r2")
"""Monitors that are best where errors are least; others reward something else as well."""


def _course(evidence: Evidence) -> list[tuple[int | float, float]]:
    """(epoch, validation R²)."""
    history = evidence.context.history
    return history.finite("r2") if history is not None else []


def _late_rise(course: list[tuple[int | float, float]]) -> float | None:
    """What R² gained over the last half of the log, where its best epoch is the last; None where it is not, or of one row."""
    values = [value for _, value in course]
    if len(values) < 2 or values[-1] < max(values):
        return None
    return values[-1] - values[(len(values) - 1) // 2]


def extend_short_run(evidence: Evidence) -> Advice | None:
    """A run of a few epochs that its limit cut off: what it would have become cannot be seen in it."""
    context, course = evidence.context, _course(evidence)
    key = evidence.key(*LENGTH_KEYS)
    planned = context.config_number(key) if key else None
    if context.history is None or len(context.history) >= SHORT_LOG or key is None or not planned:
        return None
    if cut_by_limit(context) is not True:
        return None
    rise, epochs = _late_rise(course), len(context.history)
    if len(course) >= 2 and (rise is None or rise < NOTICEABLE_R2):
        return None
    longer = round(planned * MUCH_LONGER)
    seen = (
        f"R² rose to the last of {plural(epochs, 'epoch')}, by {fixed(rise, 2)} over their second half"
        if rise is not None
        else f"{plural(epochs, 'logged epoch')} show no course at all"
    )
    return Advice(
        id="fit.train-longer",
        title="Train longer",
        text=f"{seen}, and then {code(key)} ended the run; a log of fewer than {SHORT_LOG} epochs has no trend that says how "
        f"far it would have gone. Set {code(key)} to {longer} instead of {planned:.0f} and let early stopping end it.",
        because=_because(evidence, "loss.still-falling", "selection.too-late", "fit.underfit"),
        acts_on="r",
        config_patch={key: longer},
        expected=higher_r2(evidence, "above this run's: R² was still rising"),
        refuted_if=r2_refuted(evidence),
        ceiling_r2=evidence.ceiling,
    )


def wait_longer(evidence: Evidence) -> Advice | None:
    """Early stopping ended a run whose R² was still rising, for want of patience or by asking for too large steps."""
    audit, course = evidence.context.selection, _course(evidence)
    declared = audit.declared if audit is not None else None
    if declared is None or declared.patience is None or cut_by_limit(evidence.context) is not False or len(course) < 2:
        return None
    values = [value for _, value in course]
    recent = max(values[-1 - declared.patience :])
    rise = recent - values[(len(values) - 1) // 2]
    impatient, demanding = declared.patience < LEAST_PATIENCE, declared.min_delta > NOTICEABLE_R2
    if recent < max(values) or rise < NOTICEABLE_R2 or not (impatient or demanding):
        return None
    patch: dict[str, Value] = {}
    patience, least = evidence.key("patience", "early_stopping_patience"), evidence.key("min_delta")
    if impatient and patience:
        patch[patience] = PATIENCE
    if demanding and least:
        patch[least] = MIN_DELTA
    asked = f" by more than {number(declared.min_delta)}" if declared.min_delta else ""
    waited = plural(declared.patience, "epoch")
    return Advice(
        id="selection.wait-longer",
        title="Let early stopping wait longer",
        text=f"The run was stopped after {plural(len(course), 'epoch')} because {waited} did not better "
        f"{code(declared.monitor)}{asked}, while its R² was at its highest, {fixed(recent)}, and had gained {fixed(rise, 2)} "
        f"over the second half of the log. {_wait(patch)}",
        because=_because(
            evidence, "selection.stopped-short", "selection.too-early", "fit.underfit", "selection.too-late"
        ),
        acts_on="r",
        config_patch=patch,
        expected=higher_r2(evidence, "above this run's: R² was still rising"),
        refuted_if=r2_refuted(evidence),
        ceiling_r2=evidence.ceiling,
    )


def stop_later(evidence: Evidence) -> Advice | None:
    """The rule found that early stopping ended the run on a rising curve, by its own test."""
    finding = evidence.found("selection.stopped-short")
    if finding is None or finding.evidence.get("kind") == "all_improve" or wait_longer(evidence) is not None:
        return None
    key, least = evidence.key("patience", "early_stopping_patience"), evidence.key("min_delta")
    now = evidence.context.config_number(key) if key else None
    hidden = finding.evidence.get("kind") == "least_improvement"
    patch: dict[str, Value] = {}
    if key and now is not None and (now < PATIENCE or not hidden):
        patch[key] = PATIENCE if now < PATIENCE else round(2 * now)
    if hidden and least:
        patch[least] = MIN_DELTA
    return Advice(
        id="selection.wait-longer",
        title="Let early stopping wait longer",
        text=f"{evidence.refer(finding)}: {_wait(patch)[0].lower()}{_wait(patch)[1:]}",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=higher_r2(evidence, "above this run's: it was still rising"),
        refuted_if=r2_refuted(evidence),
        ceiling_r2=evidence.ceiling,
    )


def _wait(patch: dict[str, Value]) -> str:
    changes = " and ".join(f"{code(key)} to {setting(value)}" for key, value in patch.items())
    return f"Set {changes}." if changes else "Wait ten epochs, and count any improvement."


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """An epoch with a higher validation R² than the saved one, and the setting that kept it from being saved."""

    epoch: int | float
    r2: float
    saved_r2: float
    why: str
    patch: dict[str, Value]


def _left_behind(evidence: Evidence) -> LeftBehind | None:
    """The best epoch by R², where the declared policy could not have picked it; None where it could."""
    context, audit, course = evidence.context, evidence.context.selection, _course(evidence)
    saved = context.history.at(context.saved_epoch, "r2") if context.history is not None else None
    declared = audit.declared if audit is not None else None
    if declared is None or saved is None or context.saved_epoch is None or not course:
        return None
    epoch, best = max(course, key=lambda pair: pair[1])
    if best - saved < NOTICEABLE_R2:
        return None
    policy, least, warmup = evidence.key("early_stopping"), evidence.key("min_delta"), evidence.key("stopping_warmup")
    why, patch = [], dict[str, Value]()
    if declared.monitor not in ACCURACY_MONITORS or declared.floor is not None:
        why.append(f"the run keeps the epoch with the {declared.describe()}")
        patch |= {policy: "r2"} if policy else {}
    if declared.warmup and context.history is not None and context.history.epochs.index(epoch) < declared.warmup:
        why.append(f"no epoch before the {declared.warmup + 1}th may be kept")
        patch |= {warmup: 0} if warmup else {}
    if epoch > context.saved_epoch and declared.min_delta > NOTICEABLE_R2:
        why.append(f"a better {declared.monitor} must be better by more than {number(declared.min_delta)}")
        patch |= {least: MIN_DELTA} if least else {}
    if not why:
        return None
    return LeftBehind(epoch=epoch, r2=best, saved_r2=saved, why=" and ".join(why), patch=patch)


def pick_better_epoch(evidence: Evidence) -> Advice | None:
    """Another saved epoch is proven better, or a setting of the run's own kept a better one from being saved."""
    finding = evidence.found("selection.wrong-pick", "selection.not-the-policy", at_least="critical")
    left = _left_behind(evidence)
    if left is not None:
        refer = f"{evidence.refer(finding)}: " if finding is not None else ""
        text = (
            f"{refer}epoch {epoch_text(left.epoch)} has a validation R² of {fixed(left.r2)}, the saved one "
            f"{fixed(left.saved_r2)}; it could not be kept because {left.why}. {_set(left.patch)}"
        )
        because = () if finding is None else (finding.rule,)
        gain = left.r2 - left.saved_r2
        basis = f"above this run's, by the {fixed(gain)} of validation at most: the best of many epochs looks better than it is"
        expected = higher_r2(evidence, basis, most=gain)
        return _keep(evidence, text[0].upper() + text[1:], because, left.patch, expected)
    if finding is None:
        return None
    better = finding.evidence.get("policy")
    picked = finding.evidence.get("epoch", finding.epoch)
    patch: dict[str, Value] = {}
    if (
        finding.rule == "selection.wrong-pick"
        and better in ("max_r2", "r2_patience")
        and evidence.key("early_stopping")
    ):
        patch["early_stopping"] = "r2"
    if finding.rule == "selection.wrong-pick" and better == "min_val_loss" and evidence.key("early_stopping"):
        patch["early_stopping"] = "val_loss"
    shown = f" (epoch {epoch_text(picked)})" if isinstance(picked, int | float) else ""
    text = (
        f"{evidence.refer(finding)}: keep the checkpoint that {_policy(finding)} picks{shown}; no retraining is needed "
        "where it was saved."
    )
    return _keep(evidence, text, (finding.rule,), patch, None)


def _set(patch: dict[str, Value]) -> str:
    changes = " and ".join(f"{code(key)} to {setting(value)}" for key, value in patch.items())
    return f"Set {changes}." if changes else "Keep the epoch with the best validation R²."


def _keep(
    evidence: Evidence, text: str, because: tuple[str, ...], patch: dict[str, Value], expected: Expected | None
) -> Advice:
    return Advice(
        id="selection.change-policy",
        title="Keep another epoch",
        text=text,
        because=because,
        acts_on="r",
        config_patch=patch,
        expected=expected,
        refuted_if="on samples that neither epoch was chosen on, its R² is no higher",
        ceiling_r2=evidence.ceiling,
    )


def _policy(finding: Finding) -> str:
    """The policy that a selection finding speaks for."""
    return "the run's own policy" if finding.rule == "selection.not-the-policy" else "the better policy"


def _because(evidence: Evidence, *rules: str) -> tuple[str, ...]:
    """The first of these rules that was found, at warning or above."""
    finding = evidence.found(*rules)
    return () if finding is None else (finding.rule,)


def train_longer(evidence: Evidence) -> Advice | None:
    """The run was cut while it was still improving."""
    short = evidence.found("selection.stopped-short")
    cut = short if short is not None and short.evidence.get("kind") == "all_improve" else None
    finding = cut or evidence.found(
        "selection.too-late", "loss.still-falling", "selection.too-early", at_least="warning"
    )
    if finding is None or finding.rule == "selection.too-early" or extend_short_run(evidence) is not None:
        return None
    key = evidence.key(*LENGTH_KEYS)
    planned = evidence.context.config_number(key) if key else None
    patch: dict[str, Value] = {key: round(planned * LONGER)} if key and planned else {}
    return Advice(
        id="fit.train-longer",
        title="Train longer",
        text=f"{evidence.refer(finding)}: give it half as many epochs again"
        + (f", {round(planned * LONGER)} instead of {planned:.0f}." if planned else "."),
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if=r2_refuted(evidence),
        ceiling_r2=evidence.ceiling,
    )
