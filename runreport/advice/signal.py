"""Advice when calibration is not the matter: information, capacity, or nothing at all."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice, Expected
from runreport.findings import Finding
from runreport.marks import code
from runreport.wording import fixed, interval, listing, with_interval

LEARNT_R2 = 0.5
"""Train R² from which the model has clearly learnt its training set: half of its variance."""


def find_information(evidence: Evidence) -> Advice | None:
    """No detectable signal on held-out rows: no loss mends it."""
    finding = evidence.found("signal.limited", at_least="info")
    if finding is None:
        return None
    r, bounds = evidence.value("pearson_r"), evidence.interval("pearson_r")
    train = _train_r2(evidence)
    if train is not None and train >= LEARNT_R2:
        where = (
            f"The training set is learnt (train R² {fixed(train, 2)}), so the model can fit: what it learns does not "
            "carry over. Look at the data, the features and the split."
        )
    elif train is not None:
        where = f"Even the training set is not learnt (train R² {fixed(train, 2)})."
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
        text=f"{finding.message} Overfit a single batch: if that fails it is the code or the rate, else widen the model "
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
        text=f"{finding.message} {rule.remedy}",
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
        refuted = f"another seed of the same config lands outside {interval(bounds)}"
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


def _save_predictions(evidence: Evidence) -> Advice:
    missing = [
        name
        for name, key in (("correlation", "pearson_r"), ("std ratio", "variance_ratio"), ("bias", "bias"))
        if evidence.value(key) is None
    ]
    return Advice(
        id="log.save-predictions",
        title="Save the predictions",
        text=f"Nothing that could be checked calls for a change, but the {listing(missing)} cannot be told from these "
        "files, so neither can the cause of the error. Save truth and prediction of every held-out row "
        "(predictions_<run>.csv with y_true, y_pred): the error budget and every interval follow from them.",
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
