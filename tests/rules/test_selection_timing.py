"""When the best epoch came, and that healthy runs are left alone by the whole selection family."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from runreport.context import Context, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules.selection import RULES
from runreport.rules.selection_timing import recent_gain
from runreport.run import Run
from runreport.selection.audit import SelectionAudit, audit

BY_ID = {rule.id: rule for rule in RULES}
R2_POLICY = {"monitor": "r2", "mode": "max", "patience": 10, "min_delta": 0.0005}
RUN_4 = history_of(
    [1, 10, 20, 30, 37, 47],
    variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
    r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
    val_loss=[2.39, 1.15, 1.66, 0.98, 0.95, 1.14],
)
LONG = history_of(range(1, 21), r2=[round(0.5 - abs(i - 8) * 0.03, 4) for i in range(1, 21)])


def context(
    history: History | None,
    saved: int | float | None = None,
    n: int | None = None,
    policy: dict[str, object] | None = None,
    **config: object,
) -> Context:
    summary: dict[str, object] = {}
    if saved is not None:
        summary["selected_epoch"] = saved
    if n is not None:
        summary["splits"] = {"val": {"n": n}}
    if policy is not None:
        summary["policy"] = policy
    run = Run(name="a", format="native", files={}, summary=summary, config=config)
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=saved)


def findings(rule: str, facts: Context, **limits: float) -> tuple[Finding, ...]:
    outcome = BY_ID[rule].check(facts, BY_ID[rule].limits(limits))
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def only(rule: str, facts: Context, **limits: float) -> Finding:
    found = findings(rule, facts, **limits)
    assert len(found) == 1
    return found[0]


def reason(rule: str, facts: Context) -> str:
    outcome = BY_ID[rule].check(facts, BY_ID[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    assert outcome.rule == rule
    return outcome.reason


# too-early


def early(best: int, later_r2: float = 0.3) -> History:
    return history_of(
        range(1, 21),
        r2=[0.5 if e == best else (later_r2 if e == 15 else 0.0) for e in range(1, 21)],
        variance_ratio=[0.7] * 20,
        bias=[0.0] * 20,
    )


def test_an_early_pick_is_information_unless_a_later_one_is_shown_to_be_better() -> None:
    finding = only("selection.too-early", context(early(3), 3))
    assert finding.severity is Severity.INFO
    assert "No later epoch that another policy picks is shown to be better." in finding.message
    worse = only("selection.too-early", context(early(15, 0.5), 3, n=5000))
    assert worse.severity is Severity.WARNING
    assert worse.evidence["later"] == 15


@pytest.mark.parametrize(("saved", "fires"), [(5, True), (6, False)])
def test_too_early_threshold(saved: int, fires: bool) -> None:
    assert bool(findings("selection.too-early", context(early(saved), saved))) is fires


def test_too_early_undefined() -> None:
    assert reason("selection.too-early", context(RUN_4, 1)) == "6 logged epochs; needs at least 10"
    assert reason("selection.too-early", context(LONG, 99)) == "epoch 99 is not in the log"
    unscored = history_of(range(12), train_loss=[1.0] * 12)
    assert reason("selection.too-early", context(unscored)).startswith("no saved epoch")


# too-late


def test_still_rising_at_the_end_is_a_warning() -> None:
    history = history_of(range(1, 41), r2=[0.02 * e for e in range(1, 41)])
    finding = only("selection.too-late", context(history, 40, max_epochs=40))
    assert finding.severity is Severity.WARNING
    assert "still rising" in finding.message
    assert finding.evidence["gain"] == pytest.approx(0.08)


@pytest.mark.parametrize(
    ("rows", "words"), [(15, "is the last of 15 logged"), (40, "is among the last 2 of 40 logged")]
)
def test_one_last_epoch_is_the_last(rows: int, words: str) -> None:
    history = history_of(range(1, rows + 1), r2=[0.02 * e for e in range(rows)])
    assert words in only("selection.too-late", context(history, rows)).message


def test_levelled_off_at_the_end_is_information() -> None:
    history = history_of(range(1, 41), r2=[0.6 * (1 - math.exp(-e / 8)) for e in range(1, 41)])
    finding = only("selection.too-late", context(history, 40, max_epochs=40))
    assert finding.severity is Severity.INFO
    # Least squares over the last 12: 0.0042 a tenth of the log at 5 standard errors, so it is shown, and negligible.
    assert "R² still rose, but by 0.0042 over a tenth of the log" in finding.message
    assert "too little for a longer run (threshold 0.02)" in finding.message


def test_ten_thousand_epochs_that_creep_up_are_no_reason_for_more() -> None:
    """0.0001 of R² over a tenth of the log, told from 0 at any level: its size decides, not its certainty."""
    rng = np.random.default_rng(0)
    r2 = [0.5 + 1e-7 * e + 1e-5 * float(rng.standard_normal()) for e in range(10_000)]
    history = history_of(range(1, 10_001), r2=r2)
    finding = only("selection.too-late", context(history, 10_000, max_epochs=10_000))
    assert finding.severity is Severity.INFO
    assert "R² still rose, but by 0.00010 over a tenth of the log" in finding.message


def test_a_rise_within_its_error_is_not_shown() -> None:
    rng = np.random.default_rng(1)
    r2 = [0.5 + 0.01 * float(rng.standard_normal()) for _ in range(40)]
    finding = only("selection.too-late", context(history_of(range(1, 41), r2=r2), 40, max_epochs=40))
    assert finding.severity is Severity.INFO
    assert "That R² was still rising is not shown" in finding.message


@pytest.mark.parametrize(("saved", "fires"), [(39, True), (38, False)])
def test_too_late_threshold(saved: int, fires: bool) -> None:
    history = history_of(range(1, 41), r2=[0.5 if e == saved else 0.4 for e in range(1, 41)])
    assert bool(findings("selection.too-late", context(history, saved))) is fires


@pytest.mark.parametrize(("patience", "fires"), [(5, True), (6, False)])
def test_going_on_past_twice_the_patience(patience: int, fires: bool) -> None:
    found = findings("selection.too-late", context(LONG, 8, policy={**R2_POLICY, "patience": patience}))
    assert bool(found) is fires
    if found:
        assert found[0].evidence["epochs_after"] == 12


def test_too_late_undefined() -> None:
    assert reason("selection.too-late", context(RUN_4, 47)) == "6 logged epochs; needs at least 10"


def test_recent_gain_is_the_least_squares_line_of_scipy() -> None:
    rng = random.Random(0)
    for _ in range(50):
        values = [0.01 * i + rng.gauss(0, 0.1) for i in range(60)]
        found = recent_gain(values)
        line = stats.linregress(range(18), values[-18:])
        assert found is not None
        assert found[0] == pytest.approx(6 * line.slope, abs=1e-12)
        assert found[1] >= 6 * line.stderr * (1 - 1e-9)  # widened where residuals follow one another
    assert recent_gain([0.0] * 9) is None


@pytest.mark.parametrize("wander", [0.0, 0.7])
def test_logs_without_a_trend_seldom_seem_to_rise(wander: float) -> None:
    fired = 0
    for seed in range(1000):
        rng, value = random.Random(seed), 0.0
        values: list[float] = []
        for _ in range(50):
            value = wander * value + rng.gauss(0, 0.04)
            values.append(0.5 + value)
        history = history_of(range(1, 51), r2=values)
        best = values.index(max(values)) + 1
        run = Run(name="a", format="native", files={}, summary={"selected_epoch": best})
        plain = SelectionAudit(
            saved=best, saved_from="declared", inferred=None, declared=None, picks=(), verdict="unknown", last_epoch=50
        )
        found = findings("selection.too-late", Context(run=run, history=history, selection=plain))
        fired += any(f.severity is Severity.WARNING for f in found)
    assert fired <= (1 if wander == 0 else 15)  # measured: 0.05 % and 0.6 %


def test_a_steady_rise_is_seen_where_the_best_epoch_is_late() -> None:
    late = fired = 0
    for seed in range(200):
        rng = random.Random(seed)
        history = history_of(range(1, 101), r2=[0.004 * e + rng.gauss(0, 0.03) for e in range(100)])
        values = [v for _, v in history.finite("r2")]
        best = values.index(max(values)) + 1
        if best > 95:
            late += 1
            fired += findings("selection.too-late", context(history, best))[0].severity is Severity.WARNING
    assert late > 100
    assert fired / late > 0.9  # measured: 0.96


# healthy runs


def healthy(seed: int) -> Context:
    """A run that learns: exponential approach, noise, one of five schedules; saved by its own declared policy."""
    rng = random.Random(seed)
    epochs = rng.choice([12, 30, 50, 80])
    ceiling, tau = rng.uniform(0.3, 0.95), rng.uniform(0.04, 0.2) * epochs
    kind = ("constant", "cosine", "warmup", "plateau", "early-stopped")[seed % 5]
    r, alpha, bias = [], [], []
    for e in range(1, epochs + 1):
        progress = float(e)
        if kind == "warmup":
            progress = max(e - 0.1 * epochs, 0.3)
        settle = 0.5 * (1 + math.cos(math.pi * e / epochs)) if kind == "cosine" else 1.0
        jitter = rng.gauss(0, 0.015) * settle
        now = min(max(ceiling * (1 - math.exp(-progress / tau)) + jitter, 0.02), 0.99)
        r.append(now)
        alpha.append(max(now * (1 + rng.gauss(0, 0.04)), 0.02))
        bias.append(rng.gauss(0, 0.03) + 0.8 * math.exp(-3 * progress / tau))
    r2 = [2 * a * b - b * b - c * c for a, b, c in zip(r, alpha, bias, strict=True)]
    if kind == "early-stopped":
        best = 0
        for i, value in enumerate(r2):
            if value > r2[best] + 0.0005:
                best = i
            elif i - best >= 10:
                epochs = i + 1
                break
        r, alpha, bias, r2 = r[:epochs], alpha[:epochs], bias[:epochs], r2[:epochs]
    best, best_value = 0, r2[0]
    for i, value in enumerate(r2):
        if value > best_value + 0.0005:
            best, best_value = i, value
    history = history_of(
        range(1, epochs + 1), r2=r2, variance_ratio=alpha, pearson_r=r, bias=bias, val_loss=[0.5 * (1 - v) for v in r2]
    )
    policy = {
        "monitor": "r2",
        "mode": "max",
        "patience": 10 if kind == "early-stopped" else epochs,
        "min_delta": 0.0005,
    }
    return context(history, best + 1, n=rng.choice([100, 144, 1000]), policy=policy)


@pytest.mark.parametrize("start", range(0, 250, 50))
def test_healthy_runs_get_no_warning(start: int) -> None:
    for seed in range(start, start + 50):
        facts = healthy(seed)
        for rule in RULES:
            outcome = rule.check(facts, rule.limits())
            if isinstance(outcome, Checked):
                for finding in outcome.findings:
                    assert finding.severity is Severity.INFO, (seed, finding)


def test_a_run_without_its_correlation_stays_unwarned_while_its_ratio_grows() -> None:
    for seed in range(50):
        facts = healthy(seed)
        assert facts.history is not None
        columns = {k: v for k, v in facts.history.columns.items() if k not in ("pearson_r", "bias")}
        history = history_of(facts.history.epochs, **columns)
        bare = replace(facts, history=history, selection=audit(facts.run, history))
        assert isinstance(bare.selection, SelectionAudit)
        for rule in RULES:
            outcome = rule.check(bare, rule.limits())
            if isinstance(outcome, Checked):
                assert all(f.severity is Severity.INFO for f in outcome.findings), seed
