"""Advice when calibration is not the matter: information, capacity, or nothing at all."""

from __future__ import annotations

from runreport.advice.carry_over import carry_over
from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice, Expected
from runreport.findings import Finding
from runreport.marks import code
from runreport.wording import fixed, interval, listing, outward, with_interval

ENOUGH_ROWS = 50
"""Independent samples from which R² is known to about ±0.2: as few as a decision can rest on."""
ENOUGH_GROUPS = 6
"""Groups from which the statistics give an interval."""
LEARNT_R2 = 0.5
"""Train R² from which the model has clearly learnt its training set: half of its variance."""


def turn_sign(evidence: Evidence) -> Advice | None:
    """Predictions run against the truth: the cause before the mirror."""
    finding = evidence.found("signal.inverted")
    if finding is None:
        return None
    alpha, r, beta = evidence.value("variance_ratio"), evidence.value("pearson_r"), evidence.value("bias")
    mirrored = None if alpha is None or r is None or beta is None else -2 * r * alpha - alpha * alpha - beta * beta
    return Advice(
        id="signal.turn-sign",
        title="Find where the sign was turned",
        text=f"{evidence.refer(finding)}: compare sign, unit and transform of the target at training and here (a height for a "
        "depth, a distance for a closeness, a standardisation undone with a negative scale), and whether the columns called "
        "truth and prediction, or two targets, are swapped. Mirror nothing before the cause is known: on training rows the "
        "correlation tells whether the model or this evaluation turned it.",
        because=(finding.rule,),
        acts_on="r",
        expected=None
        if mirrored is None
        else Expected(
            metric="r2", value=mirrored, high=evidence.ceiling, basis="the same predictions, mirrored at their mean"
        ),
        refuted_if="sign, unit and columns agree, and r is negative on the training rows as well",
        ceiling_r2=evidence.ceiling,
    )


def find_information(evidence: Evidence) -> Advice | None:
    """No detectable signal on held-out rows: no loss mends it."""
    finding = evidence.found("signal.limited", at_least="info")
    if finding is None or carry_over(evidence) is not None:
        return None
    r, bounds = evidence.value("pearson_r"), evidence.interval("pearson_r")
    train = _train_r2(evidence)
    if train is not None and train >= LEARNT_R2:
        where = (
            f"The training set is learnt (train R² {fixed(train, 2)}), so the model can fit: what it learns does not "
            "carry over. Look at the data, the features and the split."
        )
    elif train is not None:
        where = (
            f"The training set is fitted no better than to R² {fixed(train, 2)}: whether the inputs hold no more or the model "
            "does not use them is not told apart."
        )
    else:
        where = "Whether the training set itself was learnt is not in this log: log " + code("train_r2") + "."
    if bounds is not None and bounds[0] > 0:
        return Advice(
            id="signal.add",
            title="Look for more information",
            text=f"r = {with_interval(r, bounds, 2)}: there is signal, but less than the R² asked for needs. {where} Add inputs, "
            "samples or a model that uses them better; shift, spread and loss cannot give it.",
            because=(finding.rule,),
            acts_on="r",
            expected=Expected(metric="pearson_r", low=bounds[1], high=1.0, basis="above this run's interval of r"),
            refuted_if=f"r of the next run stays within {interval(bounds)}",
            ceiling_r2=evidence.ceiling,
        )
    return Advice(
        id="signal.test-first",
        title="Test for signal before tuning",
        text=f"r = {with_interval(r, bounds, 2)}. {where} Fit a linear model on a few simple features, split the same "
        "way: if it too finds no correlation, no loss, schedule or seed will meet the criteria with these inputs.",
        because=(finding.rule,),
        acts_on="r",
        expected=None
        if bounds is None
        else Expected(
            metric="pearson_r", low=bounds[1], high=1.0, basis="a simple model that beats this run's interval"
        ),
        refuted_if="a simple model reaches r above " + (fixed(bounds[1], 2) if bounds is not None else "this run's r"),
        ceiling_r2=evidence.ceiling,
    )


def raise_capacity(evidence: Evidence) -> Advice | None:
    """The training set itself is not learnt."""
    finding = evidence.found("fit.underfit")
    if finding is None or evidence.found("lr.warmup-never-ended", "lr.too-low", "lr.frozen") is not None:
        return None
    return Advice(
        id="fit.raise-capacity",
        title="Make the model fit its training set first",
        text=f"{evidence.refer(finding)}: overfit a single batch. If that fails it is the code or the rate, else widen the model "
        "or regularise less.",
        because=(finding.rule,),
        acts_on="r",
        refuted_if="a single batch cannot be fitted to a train R² above 0.9",
        ceiling_r2=evidence.ceiling,
    )


def follow_remedy(evidence: Evidence) -> Advice | None:
    """A fault for which no step of its own exists: what its rule's own documentation says to do."""
    finding = next((f for f in evidence.findings if f.severity.rank >= 1), None)
    return _remedy(evidence, finding) if finding is not None else None


def move_output(evidence: Evidence) -> Advice | None:
    """Constant predictions: before their mean or anything else of them is mended, they must vary."""
    finding = evidence.found("collapse.constant")
    rate = evidence.found("lr.warmup-never-ended", "lr.too-low", "lr.frozen", "loss.not-finite", "loss.divergence")
    return _remedy(evidence, finding) if finding is not None and rate is None else None


def _remedy(evidence: Evidence, finding: Finding) -> Advice | None:
    from runreport.rules.registry import all_rules

    rule = next((r for r in all_rules() if r.id == finding.rule), None)
    if rule is None:
        return None
    return Advice(
        id=f"remedy.{rule.id}",
        title=f"Mend: {rule.title[0].lower()}{rule.title[1:]}",
        text=f"{evidence.refer(finding)}: {rule.remedy[0].lower()}{rule.remedy[1:]}",
        because=(rule.id,),
        acts_on=finding.acts_on,
        refuted_if=f"the report of the next run still holds {rule.id}",
        ceiling_r2=evidence.ceiling,
    )


def no_change(evidence: Evidence) -> Advice:
    """Nothing was found that a change would mend beyond noise; or too little is known to say that."""
    if evidence.context.budget is None:
        return _save_predictions(evidence)
    n = evidence.final.n if evidence.final is not None else None
    r2, bounds = evidence.value("r2"), evidence.interval("r2")
    at = f" at n = {n}" if n is not None else ""
    if r2 is not None and bounds is not None:
        text = (
            f"R² is {with_interval(r2, bounds, 3)}{at}. No tested fault would give back more than noise; a change is "
            f"worth calling better only if its paired interval of ΔR² on these samples lies above 0."
        )
        refuted = f"R² of the same evaluation on other samples lands outside {outward(bounds)}"
    else:
        text = "Nothing that was checked calls for a change."
        refuted = "another seed of the same config gives a finding"
    return Advice(
        id="none",
        title=f"No change is warranted{at}",
        text=text,
        because=(),
        acts_on=None,
        refuted_if=refuted,
        ceiling_r2=evidence.ceiling,
    )


def evaluate_on_more(evidence: Evidence) -> Advice | None:
    """Nothing can be inferred from these samples: too few, too few groups, or a truth that does not vary."""
    final = evidence.final
    if final is None or final.basis != "predictions" or final.n is None:
        return None
    few = evidence.found("data.few")
    if few is not None:
        needed = f"{ENOUGH_ROWS} samples that do not repeat each other, or more"
        why = f"{evidence.refer(few)}: n = {final.n}"
    elif final["true_std"] == 0:
        needed = "samples whose truth differs"
        why = f"the truth is the same in all {final.n} rows, so neither R² nor the correlation is defined"
    elif final.n_groups is not None and 1 < final.n_groups < ENOUGH_GROUPS:
        needed = f"{ENOUGH_GROUPS} groups or more ({code(final.group_column)})"
        why = f"{final.n_groups} groups do not tell how much groups differ, so no interval is given"
    else:
        return None
    return Advice(
        id="data.evaluate-more",
        title="Evaluate on more samples" if few is not None else f"Evaluate on {needed.split(' (')[0]}",
        text=f"{why[0].upper()}{why[1:]}. Evaluate this checkpoint on {needed} before anything is changed: no figure of this set "
        "supports a change of the model, the loss or the data.",
        because=() if few is None else (few.rule,),
        acts_on=None,
        refuted_if="on the larger set the intervals still leave open what these figures leave open",
    )


def _save_predictions(evidence: Evidence) -> Advice:
    missing = [
        name
        for name, key in (("correlation", "pearson_r"), ("std ratio", "variance_ratio"), ("bias", "bias"))
        if evidence.value(key) is None
    ]
    return Advice(
        id="log.save-predictions",
        title="Save the predictions",
        text=f"Too little could be judged to advise a change: the {listing(missing)} cannot be told from these "
        "files, so neither can the cause of the error. Save truth and prediction of "
        "every held-out row (predictions_<run>.csv with y_true, y_pred): the error budget and every interval follow from them.",
        because=(),
        acts_on=None,
        refuted_if="the report on those predictions names no more causes than this one",
    )


def _train_r2(evidence: Evidence) -> float | None:
    history = evidence.context.history
    if history is None or not history.has("train_r2"):
        return None
    saved = history.at(evidence.context.saved_epoch, "train_r2")
    return saved if saved is not None else history.finite("train_r2")[-1][1]
