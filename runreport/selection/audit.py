"""The early-stopping audit: what was saved, what others would have saved, and whether the difference can be told."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from runreport.context import EpochPredictions, History
from runreport.run import Run
from runreport.selection.declared import (
    DeclaredPolicy,
    SavedFrom,
    declared_policy,
    final_count,
    saved_epoch,
    validation_count,
)
from runreport.selection.policies import MIN_DELTA, PATIENCE, Policy, PolicyPick, catalogue
from runreport.selection.r2_difference import COARSE, CORNERS, figures_at, standard_error_range
from runreport.selection.scores import finite
from runreport.wording import epoch as epoch_words
from runreport.wording import listing

Verdict = Literal["wrong-pick", "indistinguishable", "supported", "unknown"]

PROVEN_R2 = 0.02
"""ΔR² that another checkpoint must exceed with its whole interval before the saved one is called wrong: less than that
is what the maximum over 50 equal checkpoints promises at n = 144 (0.015 to 0.046) without being there."""
LEVEL = 0.95
RESAMPLES = 2000
"""Bootstrap resamples: the 2.5 % point of an interval then rests on 50 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The saved epoch against another, on the same samples.

    policies
        The policies that pick the other epoch.
    delta_r2
        R²(other) - R²(saved); out of bag where ``held_out``, else as logged.
    interval
        95 % interval of it, widened for the number of epochs compared; None where nothing gives one.
    se_range
        Least and greatest standard error that agree with the log; None with predictions.
    held_out
        Whether the policy was run again inside the bootstrap and scored on samples it had not seen.
    p_value
        Two-sided, of no difference; only with predictions.
    """

    policies: tuple[str, ...]
    epoch: int | float
    delta_r2: float | None
    interval: tuple[float, float] | None = None
    se_range: tuple[float, float] | None = None
    held_out: bool = False
    p_value: float | None = None

    @property
    def lower(self) -> float | None:
        """Lower bound of ΔR²."""
        return None if self.interval is None else self.interval[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionAudit:
    """What can be said about which epoch was saved.

    saved, saved_from
        As the run says; None and ``unknown`` where it does not. Never a guess.
    inferred
        What the declared policy picks when replayed on the log; the best guess at ``saved`` where that is unknown.
    declared
        The run's own policy; None where it declares none.
    picks
        Every policy's pick, the declared one first.
    comparisons
        Saved against every other epoch that a policy picks: one an epoch from the log, one a policy from predictions.
    best
        Epoch of the highest R².
    indistinguishable
        The epochs not shown to have a lower R² than ``best``, which is one of them; 95 % sure to hold the truly best.
        None where there is no basis for it.
    basis
        What the intervals rest on: ``predictions``, ``log`` (logged figures and n, independent samples), or None.
    validation_n, n_assumed
        Number of validation samples; ``n_assumed`` where it was not logged and the number of test samples stands in.
    optimism
        By how much the highest R² over the epochs exceeds what that choice reaches on other samples; needs predictions.
    policy_gaps
        Whether epochs are missing, so that a patience counted over rows is not the run's patience.
    last_epoch, stopped_early
        Where the log ends, and whether the run ended before its own maximum: later epochs are not identifiable.
    refused
        Why the predictions could not be resampled; None where they were, or there are none.
    needs
        What would be needed where the verdict is not decided.
    """

    saved: int | float | None
    saved_from: SavedFrom
    inferred: int | float | None
    declared: DeclaredPolicy | None
    picks: tuple[PolicyPick, ...]
    verdict: Verdict
    comparisons: tuple[Comparison, ...] = ()
    best: int | float | None = None
    indistinguishable: tuple[int | float, ...] | None = None
    basis: Literal["predictions", "log"] | None = None
    validation_n: int | None = None
    n_assumed: bool = False
    optimism: float | None = None
    policy_gaps: bool = False
    last_epoch: int | float | None = None
    stopped_early: bool | None = None
    refused: str | None = None
    needs: str | None = None

    def pick(self, policy: str) -> PolicyPick | None:
        """The pick of one policy by its name, else None."""
        return next((p for p in self.picks if p.policy == policy), None)


def audit(
    run: Run,
    history: History | None,
    epoch_predictions: EpochPredictions | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> SelectionAudit:
    """Replay every policy on the run's history and compare what they pick with what was saved.

    With per-epoch predictions the selection is run again inside a bootstrap and scored out of bag; without them the
    standard error of a difference of two epochs' R² is bounded by what the log holds (`r2_difference`), for which the
    number of validation samples must be known. Numpy is imported only with predictions. ``history`` None or empty
    gives an audit with no picks and the verdict "unknown".
    """
    saved, saved_from = saved_epoch(run)
    declared = declared_policy(run)
    rows = history if history is not None else History(epochs=(), columns={})
    n = len(epoch_predictions.y_true) if epoch_predictions is not None else validation_count(run)
    n_assumed = n is None
    n = final_count(run) if n is None else n
    policies = policies_for(declared, n)
    own = (declared.pick(rows),) if declared is not None and len(rows) else ()
    picks = (*own, *(p.pick(rows) for p in policies)) if len(rows) else ()
    base = SelectionAudit(
        saved=saved,
        saved_from=saved_from,
        inferred=own[0].epoch if own else None,
        declared=declared,
        picks=picks,
        verdict="unknown",
        best=_best(rows),
        validation_n=n,
        n_assumed=n_assumed and n is not None,
        policy_gaps=has_gaps(rows),
        last_epoch=rows.epochs[-1] if len(rows) else None,
        stopped_early=_stopped_early(run, rows),
    )
    if epoch_predictions is not None:
        from runreport.selection.held_out import with_predictions

        base = with_predictions(base, rows, policies, epoch_predictions, seed=seed, resamples=resamples)
    else:
        base = _with_log(base, rows)
    return _decide(base)


def policies_for(declared: DeclaredPolicy | None, n: int | None) -> tuple[Policy, ...]:
    """The catalogue with the run's own patience and least improvement, where it monitors R² and declares them."""
    own = declared if declared is not None and declared.monitor == "r2" else None
    patience = own.patience if own is not None and own.patience is not None else PATIENCE
    min_delta = own.min_delta if own is not None and own.patience is not None else MIN_DELTA
    return catalogue(validation_n=n, patience=patience, min_delta=min_delta)


def has_gaps(history: History) -> bool:
    """Whether whole-numbered epochs between the first and the last are missing from the log."""
    if len(history) < 2:
        return False
    return len(history) < history.epochs[-1] - history.epochs[0] + 1 - 1e-9


def _best(history: History) -> int | float | None:
    known = history.finite("r2")
    return max(known, key=lambda row: row[1])[0] if known else None


def _stopped_early(run: Run, history: History) -> bool | None:
    limit = run.config.get("max_epochs", run.config.get("epochs"))
    if not len(history) or isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        return None
    return history.epochs[-1] < limit


def alternatives(picks: tuple[PolicyPick, ...], saved: int | float) -> dict[int | float, tuple[str, ...]]:
    """Epochs that policies pick instead of the saved one, each with those policies, in the order of the picks."""
    found: dict[int | float, tuple[str, ...]] = {}
    for pick in picks:
        if pick.epoch is not None and pick.epoch != saved:
            found[pick.epoch] = (*found.get(pick.epoch, ()), pick.policy)
    return found


def critical_value(comparisons: int) -> float:
    """Normal quantile of a two-sided 95 % interval, Bonferroni over ``comparisons``.

    >>> round(critical_value(1), 2), round(critical_value(49), 2)
    (1.96, 3.28)
    """
    return NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / max(comparisons, 1))


def _with_log(base: SelectionAudit, history: History) -> SelectionAudit:
    """Comparisons and the set of indistinguishable epochs from the logged figures alone."""
    base = replace(base, indistinguishable=_indistinguishable(base, history))
    if base.saved is None:
        return base
    others = alternatives(base.picks, base.saved)
    saved_r2 = history.at(base.saved, "r2")
    made = []
    for other, policies in others.items():
        logged = history.get("r2")[history.epochs.index(other)]
        if logged is not None and not math.isfinite(logged):
            continue  # it diverged there: no candidate that more samples could settle
        other_r2 = history.at(other, "r2")
        delta = None if saved_r2 is None or other_r2 is None else other_r2 - saved_r2
        first, second = figures_at(history, base.saved) if delta is not None else None, figures_at(history, other)
        se = None
        if first is not None and second is not None and base.validation_n is not None:
            se = standard_error_range(first, second, base.validation_n)
        interval = None
        if delta is not None and se is not None:
            margin = critical_value(len(others)) * se[1]
            interval = (delta - margin, delta + margin)
        made.append(Comparison(policies=policies, epoch=other, delta_r2=delta, interval=interval, se_range=se))
    known = base.indistinguishable is not None or any(c.interval is not None for c in made)
    return replace(base, comparisons=tuple(made), basis="log" if known else None)


def _indistinguishable(base: SelectionAudit, history: History) -> tuple[int | float, ...] | None:
    """Epochs whose R² is not shown to lie below the best (multiple comparisons with the best, Hsu 1981).

    An epoch is left out only when its difference exceeds the widest standard error that agrees with the log, times a
    quantile that is Bonferroni over the other epochs: so the truly best epoch is in the set with 95 % confidence. An
    epoch whose figures give no standard error stays in, because nothing shows it to be worse. None without n, or where
    no epoch at all could be compared.
    """
    if base.best is None or base.validation_n is None:
        return None
    best = figures_at(history, base.best)
    if best is None:
        return None
    rows = history.finite("r2")
    quantile = critical_value(len(rows) - 1)
    kept: list[int | float] = []
    compared = 0
    for epoch, value in rows:
        figures = figures_at(history, epoch)
        within = True
        if epoch != base.best and figures is not None:
            for steps in (CORNERS, COARSE):
                se = standard_error_range(best, figures, base.validation_n, steps)
                within = se is None or best.r2 - value <= quantile * se[1]
                compared += se is not None
                if within:
                    break
        if within:
            kept.append(epoch)
    return tuple(kept) if compared or len(rows) == 1 else None


def _decide(base: SelectionAudit) -> SelectionAudit:
    """The verdict and what would be needed, from the comparisons.

    ``wrong-pick`` only with held-out proof of more than :data:`PROVEN_R2`. ``supported``: every policy that could be
    replayed picks the saved epoch, or an epoch that is shown to be worse: its interval lies below 0 and it is not among
    the indistinguishable (an interval against a saved epoch that was itself chosen as the highest on these samples is
    too low; the set allows for that). ``indistinguishable``: some pick is not shown to be worse, and none is proven
    better. ``unknown``: no basis to compare on.
    """
    if base.saved is None:
        return replace(base, needs="the epoch that was saved (selected_epoch in the run's metrics file)")
    if not any(p.epoch is not None and p.policy != "last" for p in base.picks):
        return replace(base, needs="a history with val_loss or r2")
    proven = [c for c in base.comparisons if c.held_out and c.lower is not None and c.lower > PROVEN_R2]
    if proven:
        return replace(base, verdict="wrong-pick")
    tied = base.indistinguishable or ()
    open_questions = [c for c in base.comparisons if c.interval is None or c.interval[1] >= 0 or c.epoch in tied]
    if not open_questions:
        return replace(base, verdict="supported")
    if any(c.interval is not None for c in open_questions):
        return replace(base, verdict="indistinguishable", needs=_needs(base, open_questions))
    return replace(base, needs=_needs(base, open_questions))


def _needs(base: SelectionAudit, undecided: list[Comparison]) -> str:
    epochs = sorted({c.epoch for c in undecided} | ({base.saved} if base.saved is not None else set()))
    named = listing([epoch_words(e) for e in epochs], most=6)
    if base.refused is not None:
        return f"held-out samples that can be resampled ({base.refused})"
    if base.basis == "predictions":
        return f"more held-out samples than {base.validation_n} to tell epochs {named} apart"
    wanted = f"the predictions of epochs {named} on held-out samples"
    if base.validation_n is None and any(finite(c.delta_r2) for c in undecided):
        return f"{wanted}, or at least the number of validation samples"
    return wanted
