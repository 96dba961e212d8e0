"""Rules over the loss: not finite, running away, jumping, stuck, cut off, and at odds with the metrics."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from runreport.context import Context, History, Number, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules import loss
from runreport.run import Run
from runreport.selection.audit import SelectionAudit

RULES = {rule.id: rule for rule in loss.RULES}
NAN, INF = math.nan, math.inf


def context(
    history: History | None, config: Mapping[str, object] | None = None, summary: Mapping[str, object] | None = None
) -> Context:
    return Context(
        run=Run(name="a", format="native", files={}, config=config or {}, summary=summary or {}), history=history
    )


def logged(**columns: Sequence[Number]) -> History:
    return history_of(range(1, 1 + max(len(v) for v in columns.values())), **columns)


def check(rule: str, given: Context) -> tuple[Finding, ...]:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def reason(rule: str, given: Context) -> str:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    return outcome.reason


def decay(n: int = 50, tau: float = 6.0, floor: float = 0.2, noise: float = 0.01, seed: int = 0) -> list[float]:
    random_ = random.Random(seed)
    return [(floor + math.exp(-e / tau)) * math.exp(noise * random_.gauss(0, 1)) for e in range(n)]


class TestNotFinite:
    @pytest.mark.parametrize("bad", [NAN, INF, -INF])
    def test_fires_and_names_the_epochs(self, bad: float) -> None:
        given = context(logged(train_loss=[1.0, bad, 0.5], val_loss=[1.0, 0.9, 0.8]))
        (finding,) = check("loss.not-finite", given)
        assert (finding.severity, finding.epoch) == (Severity.CRITICAL, 2)
        assert finding.message == "Not a finite number (epoch): train_loss at 2. Finite again afterwards."

    @pytest.mark.parametrize(
        ("train", "val", "severity"),
        [
            ([1.0, 0.7, 0.5], [1.0, NAN, 0.8], Severity.WARNING),  # one evaluation was lost
            ([1.0, 0.7, 0.5], [1.0, 0.9, NAN], Severity.CRITICAL),  # nothing shows that it came back
            ([1.0, NAN, 0.5], [1.0, NAN, 0.8], Severity.CRITICAL),  # training itself
        ],
    )
    def test_a_lost_evaluation_is_a_warning(self, train: list[float], val: list[float], severity: Severity) -> None:
        (finding,) = check("loss.not-finite", context(logged(train_loss=train, val_loss=val)))
        assert finding.severity is severity
        assert finding.evidence["recovered"] is math.isfinite(val[-1])

    def test_to_the_end(self) -> None:
        (finding,) = check("loss.not-finite", context(logged(train_loss=[1.0, 0.5, NAN, NAN, NAN])))
        assert "train_loss at 3-5 (the last)" in finding.message

    @pytest.mark.parametrize(
        "history",
        [
            logged(train_loss=[1.0, 0.5, 0.4], val_loss=[None, 0.9, None]),
            # Evaluated every third epoch, the gaps written as NaN.
            logged(train_loss=[1.0] * 9, val_loss=[NAN, NAN, 1.0, NAN, NAN, 0.9, NAN, NAN, 0.8]),
            # Evaluated once before training.
            history_of([0, 1, 2], train_loss=[NAN, 1.0, 0.9], val_loss=[1.0, 0.9, 0.8]),
            # r is undefined for constant predictions; that is no fault of the loss.
            logged(train_loss=[1.0, 0.9], pearson_r=[NAN, 0.1]),
        ],
    )
    def test_what_was_not_evaluated_is_no_fault(self, history: History) -> None:
        assert check("loss.not-finite", context(history)) == ()

    def test_irregular_nan_is_a_fault(self) -> None:
        given = context(logged(train_loss=[1.0] * 6, val_loss=[1.0, NAN, 1.0, 0.9, 0.8, 0.7]))
        assert check("loss.not-finite", given)[0].evidence["epochs"] == {"val_loss": [2]}

    def test_undefined(self) -> None:
        assert reason("loss.not-finite", context(None)) == "no history"
        assert reason("loss.not-finite", context(logged(r2=[0.1, 0.2]))) == "no loss column"


class TestDivergence:
    def test_fires_on_a_loss_that_runs_away(self) -> None:
        (finding,) = check("loss.divergence", context(logged(train_loss=[1.0, 0.5, 0.1, 0.5, 3.0, 9.0, 30.0])))
        assert (finding.severity, finding.epoch) == (Severity.CRITICAL, 5)
        assert finding.evidence["lowest"] == 0.1
        assert finding.evidence["worst"] == 30.0

    @pytest.mark.parametrize(
        "train_loss",
        [
            [1.0, 0.5, 0.1, 0.5, 1.9, 1.9, 1.9, 1.9],  # 19 times
            [1.0, 0.5, 0.1, 3.0, 3.0, 0.1, 0.09, 0.08],  # two epochs: a spike
            [1e6, 10.0, 1.0, 0.5, 0.4, 0.3],  # a blow-up at the start
            [1.0, 0.1, 1e-8, 1e-6, 1e-6, 1e-6, 1e-6],  # at the floor of an interpolating fit
            [-1.0, -2.0, -3.0, -2.5, -3.2],  # a likelihood
            [0.0, 0.0, 0.0],
        ],
    )
    def test_innocent(self, train_loss: list[float]) -> None:
        assert check("loss.divergence", context(logged(train_loss=train_loss))) == ()

    def test_negative_losses_are_judged_by_their_descent(self) -> None:
        (finding,) = check("loss.divergence", context(logged(train_loss=[1.0, 0.0, -1.0, 4.0, 8.0, 9.0])))
        assert finding.epoch == 4
        assert "more than twice the fall before it" in finding.message

    def test_undefined(self) -> None:
        assert "no train_loss" in reason("loss.divergence", context(logged(val_loss=[1.0, 2.0])))
        assert "1 epoch with" in reason("loss.divergence", context(logged(train_loss=[1.0])))


class TestSpike:
    def test_fires(self) -> None:
        train = decay()
        train[30] *= 4
        (finding,) = check("loss.spike", context(logged(train_loss=train)))
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 31)
        assert finding.evidence["spikes"][0]["back"] == 32  # type: ignore[index, call-overload]

    def test_just_under_a_half_is_none(self) -> None:
        train = decay(noise=0.001)
        train[30] *= 1.45
        assert check("loss.spike", context(logged(train_loss=train))) == ()
        train[30] *= 1.1
        assert len(check("loss.spike", context(logged(train_loss=train)))) == 1

    def test_a_restart_of_the_rate_explains_it(self) -> None:
        train = decay()
        train[30] *= 4
        rates = [1e-3] * 30 + [1e-2] * 20
        (finding,) = check("loss.spike", context(logged(train_loss=train, learning_rate=rates)))
        assert finding.severity is Severity.INFO
        assert "rate was raised at the same epoch" in finding.message

    def test_validation_alone_is_information(self) -> None:
        val = decay()
        val[30] *= 4
        (finding,) = check("loss.spike", context(logged(val_loss=val)))
        assert (finding.severity, finding.split) == (Severity.INFO, "validation")

    def test_negative_losses(self) -> None:
        train = [v - 5 for v in decay()]
        train[30] += 3
        assert check("loss.spike", context(logged(train_loss=train)))[0].epoch == 31

    def test_a_step_over_missing_rows_is_not_judged(self) -> None:
        train = decay(30)
        train[20:] = [4 * v for v in train[20:]]
        epochs = [*range(1, 21), *range(60, 70)]
        assert check("loss.spike", context(history_of(epochs, train_loss=train))) == ()

    def test_undefined(self) -> None:
        assert "needs at least 10" in reason("loss.spike", context(logged(train_loss=[1.0] * 9)))
        assert "no train_loss and no val_loss" in reason("loss.spike", context(logged(r2=[0.1] * 20)))


class TestPlateau:
    def test_a_loss_that_never_fell(self) -> None:
        train = [15.917 - 0.012 * (e / 103) for e in range(104)]
        (finding,) = check("loss.plateau", context(logged(train_loss=train)))
        assert finding.severity is Severity.WARNING
        assert "fell by 0.07 % over 104 epochs" in finding.message
        assert "No R² was logged" in finding.message

    def test_a_model_that_had_learned_before_the_first_row(self) -> None:
        given = context(logged(train_loss=[1.0] * 20, train_r2=[0.9] * 20))
        assert [f.severity for f in check("loss.plateau", given)] == [Severity.INFO]

    def test_near_the_threshold(self) -> None:
        flat = context(logged(train_loss=[1.0] * 2 + [0.981] * 18))
        assert check("loss.plateau", flat)[0].severity is Severity.WARNING
        assert check("loss.plateau", context(logged(train_loss=[1.0] * 2 + [0.95] * 18)))[0].severity is Severity.INFO

    def test_a_converged_run_is_information(self) -> None:
        (finding,) = check("loss.plateau", context(logged(train_loss=decay(80, noise=0.002))))
        assert finding.severity is Severity.INFO
        assert "A converged run ends so" in finding.message

    def test_noise_is_no_plateau(self) -> None:
        # The interval of the slope contains 0, but is so wide that "settled" would be a guess.
        assert check("loss.plateau", context(logged(train_loss=decay(50, noise=0.3)))) == ()

    def test_undefined(self) -> None:
        assert "4 epochs" in reason("loss.plateau", context(logged(train_loss=[1.0] * 4)))
        assert "not positive" in reason("loss.plateau", context(logged(train_loss=[-1.0] * 12)))
        assert reason("loss.plateau", context(None)) == "no history"


class TestStillFalling:
    def falling(self, **extra: Sequence[Number]) -> History:
        train = decay(50, tau=40, floor=0.0)
        return logged(train_loss=train, val_loss=decay(50, tau=40, floor=0.1, seed=1), **extra)

    def test_cut_off_by_the_epoch_limit(self) -> None:
        (finding,) = check("loss.still-falling", context(self.falling(), config={"max_epochs": 50}))
        assert finding.severity is Severity.WARNING
        # Nine epochs at 1/40 an epoch in the log: 1 - exp(-9/40) = 20.1 %, noise apart.
        fall = finding.evidence["fall"]
        assert isinstance(fall, float)
        assert fall == pytest.approx(0.201, abs=0.03)

    def test_unknown_end_is_information(self) -> None:
        assert [f.severity for f in check("loss.still-falling", context(self.falling()))] == [Severity.INFO]

    def test_annealed_is_information(self) -> None:
        history = self.falling(learning_rate=[1e-3 * (1 - e / 50) for e in range(1, 51)])
        (finding,) = check("loss.still-falling", context(history, config={"max_epochs": 50}))
        assert finding.severity is Severity.INFO
        assert "annealed" in finding.message

    def test_early_stopping_is_clear(self) -> None:
        given = context(self.falling(), config={"max_epochs": 50}, summary={"stopped_because": "patience"})
        assert check("loss.still-falling", given) == ()

    def test_validation_that_stands_is_clear(self) -> None:
        history = logged(train_loss=decay(50, tau=40, floor=0.0), val_loss=decay(50, seed=2))
        assert check("loss.still-falling", context(history, config={"max_epochs": 50})) == ()

    def test_four_per_cent_are_clear(self) -> None:
        history = logged(train_loss=[math.exp(-0.0045 * e) for e in range(50)])
        assert check("loss.still-falling", context(history, config={"max_epochs": 50})) == ()

    def test_r2_tells_where_there_is_no_val_loss(self) -> None:
        train = decay(50, tau=40, floor=0.0)
        history = logged(train_loss=train, r2=[0.8 * (1 - math.exp(-e / 40)) for e in range(50)])
        assert check("loss.still-falling", context(history, config={"epochs": 50}))[0].severity is Severity.WARNING

    def test_a_certain_but_negligible_gain_is_no_warning(self) -> None:
        """1 - R² falls by a fifth from 0.01: 0.002 of R² over the last fifth, 0.005 over half as many epochs again."""
        r2 = [1 - 0.01 * math.exp(-(e - 40) * 0.0248) for e in range(50)]
        given = context(self.falling(r2=r2), config={"max_epochs": 50})
        (finding,) = check("loss.still-falling", given)
        assert finding.severity is Severity.INFO
        # The slope at the end, -d/de of 0.01·exp(-0.0248·(e - 40)) at its middle, times 25 epochs.
        assert finding.evidence["r2_ahead"] == pytest.approx(0.01 * math.exp(-4.5 * 0.0248) * 0.0248 * 25, rel=0.05)
        assert "less than 0.05, so they are not worth it" in finding.message

    def test_what_more_epochs_bring_ends_at_a_perfect_score(self) -> None:
        given = context(self.falling(r2=[0.019 * e for e in range(50)]), config={"max_epochs": 50})
        (finding,) = check("loss.still-falling", given)
        assert finding.severity is Severity.WARNING
        assert finding.evidence["r2_ahead"] == pytest.approx(0.069), "a line would bring 0.475 to 0.931"

    def test_undefined(self) -> None:
        assert "needs at least 10" in reason("loss.still-falling", context(logged(train_loss=[1.0] * 9)))


class TestDisagree:
    audit = SelectionAudit(
        saved=3,
        saved_from="declared",
        inferred=None,
        declared=None,
        picks=(),
        verdict="unknown",
        best=3,
        indistinguishable=(3, 4),
    )
    history = logged(val_loss=[0.5, 0.4, 0.9, 0.8], r2=[0.1, 0.1, 0.5, 0.49])

    def test_fires(self) -> None:
        (finding,) = check("loss.metric-disagree", replace(context(self.history), selection=self.audit))
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 2)
        assert finding.recoverable == pytest.approx(0.4)

    def test_an_epoch_that_cannot_be_told_from_the_best_is_clear(self) -> None:
        audit = replace(self.audit, indistinguishable=(2, 3, 4))
        assert check("loss.metric-disagree", replace(context(self.history), selection=audit)) == ()

    def test_little_at_stake_is_information(self) -> None:
        history = logged(val_loss=[0.5, 0.4, 0.9, 0.8], r2=[0.1, 0.485, 0.5, 0.49])
        given = replace(context(history), selection=self.audit)
        assert check("loss.metric-disagree", given)[0].severity is Severity.INFO

    def test_undefined(self) -> None:
        unknown = replace(self.audit, indistinguishable=None, needs="the number of validation samples")
        given = replace(context(self.history), selection=unknown)
        assert reason("loss.metric-disagree", given).endswith("needs the number of validation samples")
        assert "no val_loss" in reason("loss.metric-disagree", context(logged(r2=[0.1])))


PUBLISHED = history_of(
    [1, 10, 20, 30, 37, 47],
    variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
    r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
    val_loss=[2.39, 1.15, 1.66, 0.98, 0.95, 1.14],
)


VARIANCE_RATIO: dict[str, object] = {"penalty": "variance_ratio", "lambda_schedule": "constant"}


class TestUnreconciled:
    @pytest.mark.parametrize(
        ("config", "says"),
        [
            ({}, "does not say which formula it weighs"),
            (VARIANCE_RATIO | {"penalty": "wasserstein"}, "Wasserstein penalty does not follow from the std ratio"),
            (VARIANCE_RATIO | {"lambda_schedule": "cosine"}, "its weight changes over the epochs"),
        ],
    )
    def test_a_penalty_of_another_form_is_not_taken_for_the_sources(self, config: dict[str, object], says: str) -> None:
        given = context(PUBLISHED, config={"loss": "huber", "variance_lambda": 0.5} | config)
        assert says in reason("loss.unreconciled", given)

    def test_the_published_run(self) -> None:
        given = context(PUBLISHED, config={"loss": "huber", "variance_lambda": 0.5} | VARIANCE_RATIO)
        (finding,) = check("loss.unreconciled", given)
        assert finding.severity is Severity.WARNING
        assert "rose 20 % from epoch 37 to 47 while the squared error rose 2 %" in finding.message
        assert "the penalty fell from 0.49 to 0.48" in finding.message
        # By hand, rounding apart: (0.95 - 0.5·(1 - 0.081²)²)·(1.0748/1.0513)·1.25 + 0.5·(1 - 0.141²)² = 1.064.
        most = finding.evidence["at_most"]
        assert isinstance(most, float)
        assert most == pytest.approx(1.064, abs=0.02)

    @pytest.mark.parametrize("name", ["mse", "huber", "mae"])
    def test_real_losses_of_real_errors_reconcile(self, name: str) -> None:
        """Losses computed by numpy on errors of changing width, mean and shape."""
        rng = np.random.default_rng(7)
        for _ in range(40):
            y = rng.gamma(rng.uniform(0.5, 5), 0.3, 300)
            lam, delta = rng.choice([0.0, 0.5, 2.0]), rng.uniform(0.2, 2.0)
            columns: dict[str, list[Number]] = {"val_loss": [], "r2": [], "variance_ratio": []}
            for e in range(20):
                p = y.mean() + 0.3 * math.exp(-e / 3) + (0.03 * e) * (y - y.mean()) + rng.normal(0, 0.02 * (e % 5), 300)
                error = y - p
                base = {
                    "mse": (error**2).mean(),
                    "mae": np.abs(error).mean(),
                    "huber": np.where(np.abs(error) <= delta, error**2 / 2, delta * (np.abs(error) - delta / 2)).mean(),
                }[name]
                columns["val_loss"].append(round(float(base + lam * (1 - p.var() / y.var()) ** 2), 3))
                columns["r2"].append(round(float(1 - (error**2).mean() / y.var()), 3))
                columns["variance_ratio"].append(round(float(p.std() / y.std()), 3))
            given = context(logged(**columns), config={"loss": name, "variance_lambda": float(lam)} | VARIANCE_RATIO)
            assert check("loss.unreconciled", given) == ()

    def test_a_loss_of_something_else_fires(self) -> None:
        rng = np.random.default_rng(1)
        r2 = [0.5 + 0.001 * e for e in range(20)]
        val = [float(v) for v in 0.5 * rng.lognormal(0, 0.5, 20)]
        assert check("loss.unreconciled", context(logged(val_loss=val, r2=r2), config={"loss": "mse"}))

    def test_a_tenth_is_granted_to_uneven_batches(self) -> None:
        def given(factor: float) -> Context:
            return context(logged(val_loss=[0.5003, 0.5003 * factor], r2=[0.5004, 0.5004]), config={"loss": "mse"})

        assert check("loss.unreconciled", given(1.14)) == ()
        assert len(check("loss.unreconciled", given(1.17))) == 1

    def test_a_constant_that_nobody_tells_of_is_no_fault(self) -> None:
        history = logged(val_loss=[5 + 0.5 * 0.97**e for e in range(40)], r2=[1 - 0.97**e for e in range(40)])
        assert check("loss.unreconciled", context(history, config={"loss": "mse"})) == ()

    def test_a_logged_base_loss_explains_itself(self) -> None:
        history = logged(val_loss=[0.9, 1.4], base_loss=[0.5, 0.5], r2=[0.5, 0.5], variance_ratio=[0.5, 0.5])
        given = context(history, config={"loss": "mse", "variance_lambda": 0.5})
        assert check("loss.unreconciled", given) == ()

    def test_undefined(self) -> None:
        assert "does not name a loss" in reason("loss.unreconciled", context(PUBLISHED))
        assert reason("loss.unreconciled", context(logged(r2=[0.1]), config={"loss": "mse"})) == "no val_loss column"
        bare = logged(val_loss=[1.0, 2.0], r2=[0.1, 0.1])
        given = context(bare, config={"loss": "mse", "variance_lambda": 0.5} | VARIANCE_RATIO)
        assert "no variance_ratio column" in reason("loss.unreconciled", given)


WEIRD: list[Sequence[Number]] = [
    [NAN] * 12,
    [INF] * 12,
    [None] * 12,
    [0.0] * 12,
    [1.0],
    [1e15, 1.0, 1e-15] * 4,
    [-1e300, 1e300] * 6,
    [5e-324] * 12,
    [1e200, 1e-200] * 6,
    [None, NAN, INF, -INF, 0.0, -1.0, 1.0, 1e308, 2.0, None, 3.0, 4.0],
]


@pytest.mark.parametrize("values", WEIRD)
def test_no_rule_raises_on_weird_logs(values: Sequence[Number]) -> None:
    from runreport.rules import fit, gradient, learning_rate, log_integrity

    names = [
        "train_loss", "val_loss", "base_loss", "penalty_loss", "r2", "train_r2", "variance_ratio", "pearson_r",
        "pred_mean", "pred_std", "true_mean", "true_std", "learning_rate", "grad_norm_total", "grad_norm_base",
        "grad_norm_penalty", "rmse",
    ]  # fmt: skip
    config = {"loss": "mse", "variance_lambda": 1.0, "learning_rate": 1e-3, "max_epochs": 12, "scheduler": "cosine"}
    odd = [0.5 * e for e in range(len(values))]
    for column in [names, *[[n] for n in names]]:
        history = history_of(odd, **dict.fromkeys(column, values))
        given = replace(context(history, config=config), epoch_metrics=history, saved_epoch=1)
        for rule in (*loss.RULES, *log_integrity.RULES, *learning_rate.RULES, *gradient.RULES, *fit.RULES):
            outcome = rule.check(given, rule.limits())
            if isinstance(outcome, Checked):
                for finding in outcome.findings:
                    assert all_json(finding.evidence), finding


def all_json(value: object) -> bool:
    """Whether evidence is JSON: no NaN, no infinity, no tuples."""
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and all_json(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(all_json, value))
    return value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))
