"""penalty.dominates and penalty.batch-bias: fires, near miss, undefined; the formulas by simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats

from runreport.analysis.final import final_of
from runreport.context import Context, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.penalty import RULES
from runreport.rules.penalty_facts import Kind, penalty_of
from runreport.rules.penalty_optimum import batch_optimum, equilibrium_ratio
from runreport.run import Run
from runreport.settings import Settings

DOMINATES, BATCH_BIAS = RULES


OWN: dict[str, object] = {
    "variance_lambda": 2.0, "penalty": "variance_ratio", "lambda_schedule": "constant", "loss": "huber", "huber_delta": 9.0,
    "standardise_target": False,
}  # fmt: skip
"""A config of this project's training: only there do the names tell the formulas."""


def own(weight: float | None, **more: object) -> dict[str, object]:
    return OWN | {"variance_lambda": weight} | more


def context_of(
    config: dict[str, object] | None,
    r: float = 0.3,
    ratio: float = 0.9,
    train_rows: int | None = None,
    n: int = 300,
    log: dict[str, list[float]] | None = None,
) -> Context:
    """Predictions of a truth with std 1, with exactly this sample correlation and std ratio."""
    rng = np.random.default_rng(7)
    true = stats.zscore(rng.standard_normal(n))
    rest = rng.standard_normal(n)
    rest = stats.zscore(rest - true * float((rest * true).mean()))
    frame = pl.DataFrame({"y_true": true, "y_pred": ratio * (r * true + np.sqrt(1 - r * r) * rest)})
    summary = {} if train_rows is None else {"splits": {"train": {"n": train_rows}}}
    run = Run(name="run", format="native", files={}, predictions=frame, config=config or {}, summary=summary)
    history = history_of(range(1, len(next(iter(log.values()))) + 1), **log) if log else None
    return Context(run=run, history=history, final=final_of(run, None, None, Settings()))


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def test_dominates_fires() -> None:
    finding = only(check(DOMINATES, context_of(own(2.0))))
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx(0.36)
    assert finding.evidence["penalty_weight"] == 2.0
    # scipy's root of σt²(α - r) = 4λα(1 - α²) with σt = 1, r = 0.3, λ = 2.
    root = optimize.brentq(lambda a: (a - 0.3) - 8 * a * (1 - a * a), 0.5, 1.0)
    assert finding.evidence["equilibrium_ratio"] == pytest.approx(root, abs=1e-6)
    assert "With ½MSE (Huber's quadratic part) as base loss" in finding.message


def test_dominates_that_costs_next_to_nothing_is_information() -> None:
    finding = only(check(DOMINATES, context_of(own(2.0), r=0.9, ratio=0.98)))
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "context",
    [
        context_of(own(0.0)),
        context_of(own(None)),
        context_of(own(2.0), r=0.5, ratio=0.5),
        context_of(own(0.001)),  # pulls from 0.300 to 0.301: not the cause of 0.9
    ],
)
def test_dominates_near_misses(context: Context) -> None:
    assert is_clear(check(DOMINATES, context))


def test_batch_bias_fires_on_small_batches_and_short_last_ones() -> None:
    finding = only(check(BATCH_BIAS, context_of(own(0.5, batch_size=20), train_rows=501)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["last_batch"] == 1
    assert finding.evidence["optimum_ratio_unrelated"] == pytest.approx((15 / 21) ** 0.5)
    finding = only(check(BATCH_BIAS, context_of(own(0.5, batch_size=64), train_rows=64 * 5 + 3)))
    assert "the last batch of an epoch has 3 of 64 samples" in finding.message
    assert "taken over batches" not in finding.message


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (own(0.0, batch_size=8), 501),
        (own(0.5, batch_size=32), 320),
        (own(0.5, batch_size=64), 64 * 5 + 6),
        (own(0.5, batch_size=64, drop_last=True), 64 * 5 + 3),
    ],
)
def test_batch_bias_near_misses(config: dict[str, object], rows: int) -> None:
    assert is_clear(check(BATCH_BIAS, context_of(config, train_rows=rows)))


def test_the_published_page_is_known_by_its_mark() -> None:
    run = Run(name="r", format="x", files={}, config={"variance_lambda": 0.5}, summary={"published": True})
    found = penalty_of(Context(run=run))
    assert found is not None
    assert (found.kind, found.unknown) == ("variance_ratio", None)


def test_undefined() -> None:
    for rule in RULES:
        outcome = check(rule, context_of({}))
        assert isinstance(outcome, NotChecked)
        assert outcome.reason == "neither config nor log says whether a spread penalty is on"
    outcome = check(BATCH_BIAS, context_of({"variance_lambda": 1.0}))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no batch_size in the config"
    run = Run(name="r", format="x", files={}, config={"variance_lambda": 1.0})
    outcome = check(DOMINATES, Context(run=run))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no predictions and no final figures"


def test_where_the_weight_is_found() -> None:
    def weight(config: dict[str, object] | None = None, **history: list[float]) -> float | None:
        log = history_of(range(1, 3), **history) if history else None
        found = penalty_of(Context(run=Run(name="r", format="x", files={}, config=config or {}), history=log))
        return None if found is None else found.weight

    assert weight({"penalty": {"kind": "std", "weight": 3.0}}) == 3.0
    assert weight() is None
    assert weight({"penalty": "none"}) == 0.0
    # The judged (here the last) epoch's λ counts, not the largest; one that ended at 0 has been on all the same.
    assert weight(variance_lambda=[0.5, 0.2]) == 0.2
    assert weight(variance_lambda=[0.5, 0.0]) == 0.5
    assert weight(own(2.0), variance_lambda=[0.0, 0.0]) == 0.0


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"variance_lambda": 2.0, "loss": "huber", "huber_delta": 9.0}, "does not say which formula it weighs"),
        ({"variance_lambda": 2.0, "penalty": "variance_ratio"}, "'variance_ratio' is not known here"),
        ({"penalty": {"kind": "std", "weight": 3.0}}, "its formula is not in these files"),
        (own(2.0, penalty="something_else"), "'something_else' is not known here"),
        (own(2.0, lambda_schedule="cosine"), "'cosine', and the log has no variance_lambda column"),
        (own(2.0, loss="ccc"), "the base loss ccc is no multiple of the squared error"),
        (own(2.0, standardise_target=True), "the training std is not in these files"),
    ],
)
def test_without_both_formulas_nothing_is_claimed(config: dict[str, object], says: str) -> None:
    """Predictions are as wide as in the test that fires: what pulls them there is not known."""
    outcome = check(DOMINATES, context_of(config))
    assert isinstance(outcome, NotChecked)
    assert says in outcome.reason
    assert "no gradient norms" in outcome.reason
    # Predictions that are not too wide need no formula to be cleared.
    assert is_clear(check(DOMINATES, context_of(config, r=0.5, ratio=0.5)))


def test_a_huber_loss_of_unknown_reach_pulls_no_harder_than_half_the_squared_error() -> None:
    """Of normal errors it pulls as ½MSE does times the share within δ, so the penalty's ratio is there or above."""
    finding = only(check(DOMINATES, context_of(own(2.0, huber_delta=0.5))))
    exact = only(check(DOMINATES, context_of(own(2.0))))
    assert finding.evidence["equilibrium_ratio"] == exact.evidence["equilibrium_ratio"]
    assert "or above" in finding.message
    # Too weak under that bound proves nothing: how weak Huber's own pull was is not known.
    weak = check(DOMINATES, context_of(own(0.05, huber_delta=0.5)))
    assert isinstance(weak, NotChecked)
    assert "Huber's loss is not shown to have been quadratic" in weak.reason
    assert is_clear(check(DOMINATES, context_of(own(0.05))))


def test_gradient_norms_need_no_formula() -> None:
    foreign: dict[str, object] = {"spread_weight": 1.0}
    strong = {"grad_norm_base": [1.0] * 20, "grad_norm_penalty": [0.1] * 16 + [0.8] * 4}
    finding = only(check(DOMINATES, context_of(foreign, log=strong)))
    assert finding.evidence["gradient_ratio"] == pytest.approx(0.8)
    assert finding.evidence["equilibrium_ratio"] is None
    assert "0.80 times the base loss's" in finding.message
    weak = {"grad_norm_base": [1.0] * 20, "grad_norm_penalty": [0.8] * 16 + [0.1] * 4}
    assert is_clear(check(DOMINATES, context_of(foreign, log=weak)))


def test_the_scheduled_weight_is_the_judged_epochs() -> None:
    config = own(2.0, lambda_schedule="linear")
    falling = context_of(config, log={"variance_lambda": [2.0, 1.0, 0.001]})
    assert is_clear(check(DOMINATES, falling)), "0.001 pulls from 0.300 to 0.301"
    rising = only(check(DOMINATES, context_of(config, log={"variance_lambda": [0.001, 1.0, 2.0]})))
    assert rising.evidence["penalty_weight"] == 2.0
    assert "λ = 2.00 at epoch 3" in rising.message


def test_a_standardised_target_is_pulled_in_its_own_units() -> None:
    """λ = 2 against targets of std 1 that the loss saw 10 times as wide (training std 0.1): v = 100, hardly a pull."""
    context = context_of(own(2.0, standardise_target=True, huber_delta=99.0), train_rows=500)
    context.run.summary["splits"]["train"]["true_std"] = 0.1  # type: ignore[index]
    assert is_clear(check(DOMINATES, context))
    context.run.summary["splits"]["train"]["true_std"] = 10.0  # type: ignore[index]
    assert only(check(DOMINATES, context)).evidence["equilibrium_ratio"] == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("kind", ["std_hinge", "kl_moments", "wasserstein"])
def test_every_kind_has_its_own_equilibrium(kind: Kind) -> None:
    penalties = {
        "std_hinge": lambda a: max(0.0, 0.8 - a),
        "kl_moments": lambda a: 0.5 * (a * a - 1 - np.log(a * a)),
        "wasserstein": lambda a: abs(1 - a) * np.sqrt(2 / np.pi),
    }
    for weight, quadratic in ((0.05, 0.5), (0.3, 1.0), (3.0, 0.5)):

        def loss(a: float, weight: float = weight, quadratic: float = quadratic) -> float:
            return quadratic * (1 - 0.6 * a + a * a) + weight * float(penalties[kind](a))

        grid = np.linspace(0.01, 1.5, 14_901)
        best = grid[np.argmin([loss(a) for a in grid])]
        found = equilibrium_ratio(
            r=0.3,
            weight=weight,
            true_std=1.0,
            kind=kind,
            quadratic=quadratic,
            target=0.8 if kind == "std_hinge" else 1.0,
        )
        assert found == pytest.approx(best, abs=2e-4)


def test_small_batches_by_kind() -> None:
    kl = own(0.5, penalty="kl_moments", batch_size=20)
    finding = only(check(BATCH_BIAS, context_of(kl, r=0.0)))
    assert finding.evidence["optimum_ratio_unrelated"] == pytest.approx((17 / 19) ** 0.5), "1/E[F(19, 19)] = (d - 2)/d"
    for kind in ("std_hinge", "wasserstein"):
        outcome = check(BATCH_BIAS, context_of(own(0.5, penalty=kind, batch_size=20)))
        assert isinstance(outcome, NotChecked)
        assert "has no formula here" in outcome.reason
    outcome = check(BATCH_BIAS, context_of({"variance_lambda": 0.5, "batch_size": 20}))
    assert isinstance(outcome, NotChecked)
    assert "does not say which formula" in outcome.reason


@pytest.mark.parametrize(("batch", "r"), [(12, 0.0), (20, 0.0), (20, 0.5), (31, 0.8), (64, 0.3)])
def test_batch_optimum_by_simulation(batch: int, r: float) -> None:
    rng = np.random.default_rng(batch)
    true = rng.standard_normal((60_000, batch))
    pred = r * true + np.sqrt(1 - r * r) * rng.standard_normal((60_000, batch))
    ratio = pred.var(axis=1, ddof=1) / true.var(axis=1, ddof=1)
    # Σ(1 - α²W)² is least at α² = mean(W)/mean(W²).
    optimum = batch_optimum(batch, r)
    assert optimum is not None
    assert optimum**2 == pytest.approx(ratio.mean() / (ratio**2).mean(), rel=0.02)


@pytest.mark.parametrize(
    ("r", "weight", "std"), [(0.125, 0.5, 0.4827), (0.6, 0.01, 1.0), (0.0, 1.0, 1.0), (-0.3, 5.0, 1.0)]
)
def test_equilibrium_minimises_the_loss(r: float, weight: float, std: float) -> None:
    ratio = equilibrium_ratio(r=r, weight=weight, true_std=std)
    assert ratio is not None

    def loss(a: float) -> float:
        return 0.5 * std**2 * (1 - 2 * r * a + a * a) + weight * (1 - a * a) ** 2

    best = optimize.minimize_scalar(
        loss, bounds=(max(0.0, ratio - 0.2), 1.0), method="bounded", options={"xatol": 1e-9}
    )
    assert ratio == pytest.approx(best.x, abs=1e-4)


def test_equilibrium_edges() -> None:
    assert equilibrium_ratio(r=-0.5, weight=0.1, true_std=1.0) == 0.0
    assert equilibrium_ratio(r=-0.9, weight=0.4, true_std=1.0) == 0.0
    assert equilibrium_ratio(r=float("nan"), weight=1.0, true_std=1.0) is None
    assert equilibrium_ratio(r=0.5, weight=1.0, true_std=0.0) is None
    assert equilibrium_ratio(r=1.0, weight=1.0, true_std=1.0) == 1.0
