"""Which finding the title speaks of first, and which others follow from it."""

from __future__ import annotations

import math
from collections.abc import Callable

from runreport.analysis.record import Analysis
from runreport.findings import Finding
from runreport.rules.learning_rate_weights import BLOWN_UP
from runreport.rules.selection_begun import HARDLY_BEGUN
from runreport.rules.signal import LIMITED, RULES, inside_groups

NO_SIGNAL = ("signal.limited",)
UNSETTLED, WRONG_PICK, BIAS = ("lr.unsettled",), ("selection.wrong-pick",), ("bias.dominates",)
TOO_HIGH = ("lr.too-high",)
WIDER, LEAST_SHARE = ("spread.over",), 0.1
"""The rule, and the share of the error that it must be shown to be: a network that fits some of the noise of its training rows is
a little too wide, and that is not what the title is for."""
ONSET, NARROWER = ("collapse.onset",), ("spread.under",)
SHORT, PENALTY = ("selection.stopped-short",), ("penalty.dominates",)
SCALE, GROUPS, UNDERFIT = ("scale.mismatch",), ("segment.bias",), ("fit.underfit",)
BIAS_SHARE = 0.5
"""Of what a better epoch would give back: from half of it on the bias is its main part."""

LEADS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("log.inconsistent",), "the log contradicts itself"),
    (("data.leak",), "{leak}"),
    (("loss.not-finite",), "the loss {no_number}{at}"),
    (("loss.divergence",), "training diverged{at}"),
    (("lr.warmup-never-ended",), "the learning rate never left its warm-up"),
    (("lr.frozen",), "the learning rate stood still"),
    (TOO_HIGH, "the learning rate is too high"),
    (("lr.too-low",), "the learning rate is too low"),
    (("lr.jump",), "the learning rate jumps{at}"),
    (PENALTY, "{penalty}"),
    (("loss.spike",), "the loss spikes{at}"),
    (UNSETTLED, "validation R² does not settle under this learning rate"),
    (SCALE, "predictions are on another scale than the target"),
    (("collapse.constant",), "predictions are constant{ratio}"),
    (("signal.inverted",), "predictions run against the truth{r}"),
    (("loss.still-falling",), "the loss was still falling when the epochs ran out"),
    (NO_SIGNAL, "predictions carry no detectable signal"),
    (ONSET, "{onset}"),
    (SHORT, "{short}"),
    (("loss.other-target",), "the loss asks for another quantity than the mean"),
    (WRONG_PICK, "a better epoch was left behind"),
    (GROUPS, "some groups are off"),
    (("range.saturated",), "predictions pile up at an edge of their range"),
    (("data.shift",), "the splits' targets differ"),
    (BIAS, "{bias}"),
    (WIDER, "predictions are wider than their information warrants{ratio}"),
    (NARROWER, "predictions are narrower than their information warrants{ratio}"),
    (("loss.metric-disagree",), "the loss and R² rank the epochs differently"),
    (("fit.overfit",), "the model overfits"),
    (UNDERFIT, "even the training set is not learnt"),
    (("log.restarts",), "the log holds more than one start"),
    (("log.duplicate-epochs",), "epochs were logged more than once"),
    (("log.truncated",), "the log ends before the run did"),
    (("log.gaps",), "epochs are missing from the log"),
    (("selection.not-the-policy",), "the saved epoch is not the one its own policy picks"),
    (("selection.collapsed-pick",), "the saved epoch is a collapsed one"),
)
"""Rule ids and their words, in the order of precedence: what must be mended first leads. Bias and spread are parts of the error,
not its causes, so a finding that can explain them goes before them. Rows that are missing or doubled come late: they
bound what can be said of the epochs, the final figures stand."""


def leads(analysis: Analysis) -> list[tuple[tuple[str, ...], str]]:
    """:data:`LEADS` for this run: which of two that go together is the cause depends on what the run did.

    A rate that does not settle comes after a wrong pick where a policy chose that epoch out of many unlike ones. A bias comes
    before the pick of a later epoch that loses hardly more than β²: what was left behind is the epoch before the drift. A scale
    that was only late to be found (a warning) comes after the bias that is left of it. Training rows predicted worse than
    by their mean come before "no signal" and the mean, where the model is not shown to follow the truth. A run that had
    hardly begun says nothing yet of its rate, its scale, its mean or its spread. A penalty that only the training rows show
    comes after a mean that is off on the others; else, and where they are not learnt, before "no signal"; one that kept the
    model from learning keeps its place. Weights that blew up under the rate explain a loss that diverged. A spread that
    stood still while the correlation rose did not collapse.
    """
    order = list(LEADS)
    audit, picked, bias = analysis.context.selection, analysis.finding(*WRONG_PICK), analysis.finding(*BIAS)
    scale = analysis.finding(*SCALE)
    onset = analysis.finding(*ONSET)
    if onset is not None and onset.evidence.get("spread_fell") is False:
        _move(order, ONSET, after=NARROWER)
    rate = analysis.finding(*TOO_HIGH)
    if rate is not None and rate.evidence.get("kind") == BLOWN_UP:
        _move(order, TOO_HIGH, after=("data.leak",))
    if hardly_begun(analysis):
        _move(order, SHORT, after=("lr.warmup-never-ended",))
    if _unlearnt(analysis):
        _move(order, UNDERFIT, after=("signal.inverted",))
    penalty = analysis.finding(*PENALTY)
    if penalty is not None and penalty.split == "train" and penalty.recoverable is not None:
        off = bias is not None and bias.severity.rank >= 1
        _move(order, PENALTY, after=BIAS if off and not _unlearnt(analysis) else ("signal.inverted",))
    if scale is not None and scale.severity.rank == 1:
        _move(order, SCALE, after=BIAS)
    if picked is None or picked.severity.rank < 1:
        return order
    if audit is not None and audit.declared is not None:
        _move(order, UNSETTLED, after=WRONG_PICK)
    beta2 = bias.recoverable if bias is not None and bias.severity.rank >= 1 else None
    later = picked.epoch is not None and audit is not None and audit.saved is not None and picked.epoch < audit.saved
    if later and beta2 is not None and picked.recoverable is not None and beta2 >= BIAS_SHARE * picked.recoverable:
        _move(order, WRONG_PICK, after=BIAS)
    return order


def hardly_begun(analysis: Analysis) -> bool:
    """Whether training ended after so few steps that the mean of its target still did better."""
    finding = analysis.finding(*SHORT)
    return finding is not None and finding.evidence.get("kind") == HARDLY_BEGUN


def _unlearnt(analysis: Analysis) -> bool:
    """Whether training rows are predicted worse than by their mean, by a model that is not shown to follow the truth: then
    neither "no signal" nor the mean that is off is the cause."""
    finding, final = analysis.finding(*UNDERFIT), analysis.final
    best = None if finding is None else finding.evidence.get("best_train_r2")
    bounds = final.interval("pearson_r") if final is not None else None
    worse = isinstance(best, int | float) and best < 0
    return worse and bounds is not None and bounds[1] < FOLLOWS


def _move(order: list[tuple[tuple[str, ...], str]], rules: tuple[str, ...], *, after: tuple[str, ...]) -> None:
    """Puts one entry behind another, in place."""
    entry = next(lead for lead in order if lead[0] == rules)
    order.remove(entry)
    order.insert(next(i for i, lead in enumerate(order) if lead[0] == after) + 1, entry)


NARROW = ("spread.under", "collapse.", "selection.collapsed-pick", "range.unreached")
SPREAD = ("spread.", *NARROW)
FIGURES = (*SPREAD, "bias.", "scale.", "segment.", "signal.limited", "range.", "fit.", "penalty.", "data.few")
EPOCHS = ("selection.", "loss.metric-disagree", "loss.unreconciled")
COURSE = ("loss.", "lr.", "gradient.")

EXPLAINS: dict[str, tuple[str, ...]] = {
    "log.inconsistent": (*EPOCHS, "log.inconsistent"),
    "data.leak": ("data.", "fit."),
    "loss.not-finite": (*COURSE, *FIGURES, *EPOCHS, "signal."),
    "loss.divergence": (*COURSE, *FIGURES, *EPOCHS, "signal."),
    "lr.": (*COURSE, *NARROW, *EPOCHS, "fit.", "signal.limited", "scale."),
    # Weights that hardly moved are as wide, and as far off, as they were begun: neither penalty nor loss can be blamed.
    "lr.warmup-never-ended": (*COURSE, *SPREAD, *EPOCHS, "penalty.", "bias.", "fit.", "signal.limited", "scale."),
    "lr.too-high": (*COURSE, *SPREAD, *EPOCHS, "fit.", "signal.limited", "scale."),
    "lr.unsettled": (*COURSE, *EPOCHS, "fit."),
    "loss.spike": (*COURSE, *EPOCHS, "spread.over", "fit."),
    "scale.mismatch": (*FIGURES, *EPOCHS),
    "collapse.": (*SPREAD, "signal.limited", "fit.underfit", *EPOCHS),
    "signal.inverted": (*SPREAD, "fit.", "segment.", *EPOCHS),
    "signal.limited": (*SPREAD, "fit.", "loss.plateau", *EPOCHS),
    "penalty.": (*SPREAD, *EPOCHS, "penalty.", "fit.", "signal.limited"),
    "selection.": (*EPOCHS, *SPREAD, "fit."),
    "data.shift": ("bias.", "segment.", "data.", "range.", *EPOCHS),
    "range.": (*SPREAD, "range.", "segment.", "bias.", *EPOCHS),
    "segment.": ("segment.", "bias.", "signal.limited", *EPOCHS),
    "loss.": (*EPOCHS, "bias.", "loss.", "fit."),
    "bias.": ("bias.", "segment.", "range.", *EPOCHS),
    "spread.": (*SPREAD, "segment.", "range.", *EPOCHS),
    "fit.": (*EPOCHS, "fit.", *SPREAD),
    "log.": ("log.", "selection."),
}
"""Beginning of a rule's id -> beginnings of those whose findings can be its consequence, the longest beginning deciding. A
finding that another one can explain is no second cause; that it is one is not said either."""

FOLLOWS = 0.5
"""Upper end of r's interval below which the model is not shown to know a quarter of the truth's variance."""

SIGNAL_ERRORS = 3.0
"""Standard errors by which validation must show a correlation for a test set that shows none not to lead the title."""


def independent(first: str, second: str) -> bool:
    """Whether the finding of one rule cannot be a consequence of another's.

    >>> independent("lr.too-low", "spread.under"), independent("log.gaps", "bias.dominates")
    (False, True)
    """
    starts = [start for start in EXPLAINS if first.startswith(start)]
    return not starts or not second.startswith(EXPLAINS[max(starts, key=len)])


def no_signal(analysis: Analysis) -> bool:
    """Whether the correlation cannot be told from none, inside the groups neither, and validation does not show one.

    A proven correlation that is only lower than asked for is no such case; nor is a test set too small to show what the
    same weights show on validation.
    """
    bounds = analysis.final.interval("pearson_r") if analysis.final is not None else None
    if bounds is None or not bounds[0] <= 0 <= bounds[1]:
        return False
    limits = next(rule.limits() for rule in RULES if rule.id == LIMITED)
    return not inside_groups(analysis.context, limits) and not _shown_on_validation(analysis)


def _groups_off(analysis: Analysis) -> bool:
    """Whether groups, not a range of the predictions, are what is off."""
    column = analysis.final.group_column if analysis.final is not None else None
    return column is not None and any(
        f.rule == GROUPS[0] and f.severity.rank >= 1 and f.evidence.get("segments") == column for f in analysis.findings
    )


def _width_matters(analysis: Analysis) -> bool:
    """Whether the width of the predictions is shown to be a tenth of the error; where the log shows it, it is judged there."""
    finding, final = analysis.finding(*WIDER), analysis.final
    shown = None if finding is None else finding.evidence.get("wrong_spread_shown")
    r2 = None if final is None else final["r2"]
    if finding is None or finding.severity.rank < 1:
        return False
    return r2 is None or not isinstance(shown, int | float) or shown >= LEAST_SHARE * (1 - r2)


CONDITIONS: dict[tuple[str, ...], Callable[[Analysis], bool]] = {
    NO_SIGNAL: no_signal,
    GROUPS: _groups_off,
    WIDER: _width_matters,
}
"""Rules that lead only where more than their severity says so."""


def _shown_on_validation(analysis: Analysis) -> bool:
    """Whether r of the saved epoch on validation lies above 0 by three standard errors (Fisher's z).

    From per-epoch predictions where there are some; else as logged, or √R² where only R² is (R² ≤ r²), with the sample count
    taken down as dependence takes down the final one.
    """
    context, final = analysis.context, analysis.final
    validation, history = context.validation, context.history
    if validation is not None and validation["pearson_r"] is not None:
        bounds = validation.interval("pearson_r")
        if bounds is not None:
            return bounds[0] > 0
    n = context.split_statistic("val", "n")
    if history is None or n is None or final is None or context.saved_epoch is None:
        return False
    r, r2 = history.at(context.saved_epoch, "pearson_r"), history.at(context.saved_epoch, "r2")
    known = r if r is not None else math.sqrt(r2) if r2 is not None and 0 < r2 < 1 else None
    if final.effective_n is not None and final.n:
        n *= min(1.0, final.effective_n / final.n)
    if known is None or not 0 < known < 1 or n <= 4:
        return False
    return math.atanh(known) * math.sqrt(n - 3) > SIGNAL_ERRORS


def serious(findings: tuple[Finding, ...]) -> list[str]:
    """Rules of the findings that are more than information, each once, in their order."""
    return list(dict.fromkeys(f.rule for f in findings if f.severity.rank >= 1))
