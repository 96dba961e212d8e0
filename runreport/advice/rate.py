"""Advice on the learning rate: its warm-up, and a concrete new peak. Acts on r."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runreport.advice.evidence import Evidence
from runreport.advice.expectation import more_information, r_refuted
from runreport.advice.record import Advice
from runreport.findings import Finding, Value
from runreport.marks import code
from runreport.wording import number, setting

NOT_FINITE = "loss.not-finite"
WARMUP_SHARE = 0.1
"""Share of the planned epochs a warm-up should take: the usual 5-10 %, and it leaves nine tenths at full rate."""
RATE_STEP = 3.0
"""Factor by which a learning rate is changed at a time: half a decade, the usual grid of a rate search."""
ADAMS = ("adam", "adamw", "nadam", "radam")
USUAL_RATE = 1e-3
"""Default rate of Adam and its kin in PyTorch and Keras, and what Kingma & Ba (2015, arXiv:1412.6980) suggest."""
FAR = 10.0
"""Times the usual rate, or a part of it: a decade either way is what a rate search looks at; beyond is no choice."""

FAULTS_OF_A_HIGH_RATE = (
    NOT_FINITE, "loss.divergence", "lr.too-high", "gradient.exploding", "collapse.constant", "fit.underfit",
    "loss.spike", "scale.mismatch", "spread.over", "loss.plateau",
)  # fmt: skip
FAULTS_OF_A_WILD_RATE = (NOT_FINITE, "loss.divergence", "lr.too-high", "gradient.exploding", "lr.unsettled")
"""What training at a rate that is too high, though not far off the usual, shows."""
FAULTS_OF_A_LOW_RATE = (
    "lr.too-low", "fit.underfit", "collapse.constant", "scale.mismatch", "loss.plateau", "gradient.vanishing",
)  # fmt: skip
"""What a rate so far off leads to; any of them, and the rate is brought back before anything else is judged. A low rate is
usual where a pretrained network is tuned: only that little or nothing was learnt speaks against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The configured peak rate, and the usual one of its optimizer; None where the optimizer has none or is not named."""

    key: str
    value: float
    optimizer: str
    usual: float | None

    @property
    def is_far_above(self) -> bool:
        """Whether it is ``FAR`` times the usual rate or more."""
        return self.usual is not None and self.value >= FAR * self.usual

    @property
    def is_far_below(self) -> bool:
        """Whether it is the usual rate over ``FAR`` or less."""
        return self.usual is not None and self.value <= self.usual / FAR


def rate_of(evidence: Evidence) -> Rate | None:
    """What the config says of the rate; None where it names none."""
    key = evidence.key("learning_rate", "lr")
    value = evidence.context.config_number(key) if key else None
    if key is None or value is None or value <= 0:
        return None
    named = evidence.context.config.get("optimizer")
    optimizer = named.strip().lower() if isinstance(named, str) else ""
    return Rate(key=key, value=value, optimizer=optimizer, usual=USUAL_RATE if optimizer in ADAMS else None)


def end_warmup(evidence: Evidence) -> Advice | None:
    """The rate was still warming up when training ended."""
    finding = evidence.found("lr.warmup-never-ended")
    if finding is None:
        return None
    config = evidence.context.config
    planned = evidence.context.config_number("max_epochs", "epochs", "num_epochs")
    patch: dict[str, Value] = {}
    if config.get("warmup_unit") == "epoch" and "warmup_steps" in config:
        patch["warmup_unit"] = "step"
        how = "Step the warm-up once a batch instead of once an epoch (" + code("warmup_unit: step") + ")"
    elif "warmup_epochs" in config and planned:
        patch["warmup_epochs"] = max(1, round(WARMUP_SHARE * planned))
        how = f"Shorten the warm-up to {patch['warmup_epochs']} epochs"
    else:
        how = "Shorten the warm-up so that it ends within the first tenth of the epochs"
    return Advice(
        id="lr.repair-warmup",
        title="Let the learning rate leave its warm-up",
        text=f"{evidence.refer(finding)}: {how[0].lower()}{how[1:]}. This run shows what the model does at its warm-up rates "
        "only; whether model, loss or data limit it can be told once the rate has reached its peak.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, code("learning_rate") + " still has its maximum at the last epoch"),
        ceiling_r2=evidence.ceiling,
    )


def log_rate(evidence: Evidence) -> Advice | None:
    """No signal, and the log does not even say at what rate it was sought."""
    history = evidence.context.history
    limited = evidence.found("signal.limited", at_least="info")
    if limited is None or history is None or history.has("learning_rate"):
        return None
    return Advice(
        id="lr.log",
        title="Check the learning rate and its warm-up",
        text="The learning rate of each epoch is not in this log, so it is not known whether it ever reached its "
        f"configured value. Log {code('learning_rate')}: if its maximum is the last epoch, the warm-up never ended.",
        because=(limited.rule,),
        acts_on="r",
        refuted_if="the configured rate was reached within the first fifth of the epochs",
        ceiling_r2=evidence.ceiling,
    )


def bring_rate_back(evidence: Evidence) -> Advice | None:
    """A rate a decade or more off the usual one, and a run that shows it: nothing else is judged before that is mended."""
    rate = rate_of(evidence)
    if rate is None or rate.usual is None or evidence.found("lr.warmup-never-ended") is not None:
        return None
    usual, name = setting(rate.usual), "AdamW" if rate.optimizer == "adamw" else rate.optimizer.capitalize()
    if rate.is_far_above and (finding := _first(evidence, FAULTS_OF_A_HIGH_RATE)) is not None:
        times = number(rate.value / rate.usual, 2)
        text = f"set the peak rate from {setting(rate.value)} to {usual}, {name}'s own default: this one is {times} times that."
        return _lower(evidence, finding, text, {rate.key: rate.usual})
    if rate.is_far_below and (finding := _first(evidence, FAULTS_OF_A_LOW_RATE)) is not None:
        times = number(rate.usual / rate.value, 2)
        text = f"set the peak rate from {setting(rate.value)} to {usual}, {name}'s own default, which is {times} times as high."
        return _raise(evidence, finding, text, {rate.key: rate.usual})
    return None


def _first(evidence: Evidence, rules: tuple[str, ...]) -> Finding | None:
    """The finding of the first of these rules that has one: the most telling goes first, however severe the others are."""
    return next(
        (finding for rule in _of_training(evidence, rules) if (finding := evidence.found(rule)) is not None), None
    )


def _of_training(evidence: Evidence, rules: tuple[str, ...]) -> tuple[str, ...]:
    """The rules without a loss that was no number in one evaluation only: no rate is shown to be at fault."""
    return rules if _lost_evaluation(evidence) is None else tuple(rule for rule in rules if rule != NOT_FINITE)


def _lost_evaluation(evidence: Evidence) -> Finding | None:
    """Validation figures that were no numbers and are again, beside a train loss that always was."""
    finding = evidence.found(NOT_FINITE)
    if finding is None or finding.evidence.get("recovered") is not True:
        return None
    epochs = finding.evidence.get("epochs")
    return finding if isinstance(epochs, Mapping) and "train_loss" not in epochs else None


def look_at_evaluation(evidence: Evidence) -> Advice | None:
    """A validation figure was no number at an epoch and is one again: the evaluation, not the rate."""
    finding = _lost_evaluation(evidence)
    if finding is None:
        return None
    return Advice(
        id="loss.look-at-evaluation",
        title="Look at that epoch's validation rows and metric",
        text=f"{evidence.refer(finding)}: the figure is finite again afterwards and no train loss that was logged is not, so the "
        "weights held. Evaluate that epoch's checkpoint row by row: a missing target, a division or logarithm in the metric, "
        "or an overflow in half precision gives one such value.",
        because=(finding.rule,),
        acts_on=None,
        refuted_if="every validation row of that epoch has a finite truth, prediction and error",
    )


def lower_rate(evidence: Evidence) -> Advice | None:
    """Training diverged or oscillates, at a rate that is not far off the usual."""
    finding = evidence.found(*_of_training(evidence, FAULTS_OF_A_WILD_RATE))
    rate = rate_of(evidence)
    if finding is None or (rate is not None and rate.is_far_above):
        return None
    lower = rate.value / RATE_STEP if rate is not None else None
    text = (
        f"lower the rate by a factor of {number(RATE_STEP, 1)}"
        + (f", to {number(lower, 2)}," if lower is not None else "")
        + " and clip gradients, then look at the loss of the first epochs again."
    )
    return _lower(evidence, finding, text, {rate.key: float(f"{lower:.2g}")} if rate is not None else {})


def _lower(evidence: Evidence, finding: Finding, text: str, patch: dict[str, Value]) -> Advice:
    return Advice(
        id="lr.lower",
        title="Lower the learning rate",
        text=f"{evidence.refer(finding)}: {text}",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if="the train loss is not finite, or rises as before, at the lower rate",
        ceiling_r2=evidence.ceiling,
    )


def raise_rate(evidence: Evidence) -> Advice | None:
    """The rate is frozen, too low, or not what the config says."""
    finding = evidence.found("lr.too-low", "lr.frozen", "lr.config-mismatch", "gradient.vanishing")
    if finding is None or bring_rate_back(evidence) is not None:
        return None
    if finding.rule != "lr.too-low":
        return _repair(evidence, finding)
    rate = rate_of(evidence)
    higher = rate.value * RATE_STEP if rate is not None else None
    to = f", from {setting(rate.value)} to {number(higher, 2)}" if rate is not None else ""
    text = f"raise the rate by a factor of {number(RATE_STEP, 1)}{to}."
    return _raise(evidence, finding, text, {rate.key: float(f"{higher:.2g}")} if rate is not None else {})


def _raise(evidence: Evidence, finding: Finding, text: str, patch: dict[str, Value]) -> Advice:
    return Advice(
        id="lr.raise",
        title="Raise the learning rate",
        text=f"{evidence.refer(finding)}: {text}",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, "the train loss falls no faster over the first ten epochs"),
        ceiling_r2=evidence.ceiling,
    )


def _repair(evidence: Evidence, finding: Finding) -> Advice:
    return Advice(
        id="lr.repair",
        title="Repair the learning-rate schedule",
        text=f"{evidence.refer(finding)}: make the rate that is logged the rate that is configured before changing anything "
        "else.",
        because=(finding.rule,),
        acts_on="r",
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, "the train loss falls no faster over the first ten epochs"),
        ceiling_r2=evidence.ceiling,
    )
