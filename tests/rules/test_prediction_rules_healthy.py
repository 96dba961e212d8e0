"""Healthy runs get no warning from the rules over predictions and their spread, and planted faults are found.

The runs are drawn here, without the rules' thresholds: a calibrated predictor (E[y_true | y_pred] = y_pred) with a log
that learns, in several shapes of schedule and of data.
"""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, Final, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules import bias, collapse, data, penalty, scale, segment, signal, spread, value_range
from runreport.run import Run
from runreport.settings import Settings

RULES = tuple(
    rule
    for module in (collapse, spread, signal, bias, scale, value_range, segment, penalty, data)
    for rule in module.RULES
)
SEEDS = 240
Array = np.ndarray


def findings_of(context: Context) -> list[Finding]:
    found: list[Finding] = []
    for rule in RULES:
        outcome = rule.check(context, rule.limits())
        if isinstance(outcome, Checked):
            found += outcome.findings
    return found


def noise(rng: np.random.Generator, n: int, memory: float, groups: Array | None) -> Array:
    """Standard normal series: independent, autoregressive, or with a part shared by each group."""
    if groups is not None:
        shared = rng.standard_normal(groups.max() + 1)[groups]
        return np.sqrt(0.3) * shared + np.sqrt(0.7) * rng.standard_normal(n)
    series = rng.standard_normal(n)
    for i in range(1, n):
        series[i] = memory * series[i - 1] + np.sqrt(1 - memory**2) * series[i]
    return series


def healthy_predictions(rng: np.random.Generator) -> tuple[Array, Array, Array | None]:
    """Truth, calibrated predictions of it (α = r, β = 0 in expectation), and groups or None."""
    n = int(rng.choice([60, 144, 300, 1000]))
    kind = rng.choice(["independent", "series", "groups"])
    groups = np.arange(n) * 12 // n if kind == "groups" else None
    memory = 0.8 if kind == "series" else 0.0
    r = rng.uniform(0.3, 0.95)
    known = noise(rng, n, memory, groups)
    unknown = noise(rng, n, memory, groups)
    pred, true = r * known, r * known + np.sqrt(1 - r * r) * unknown
    if rng.random() < 0.3:
        # A skewed target: y = exp(0.5 (known + unknown part)); the calibrated prediction is its conditional mean.
        left = 0.25 * (1 - r * r)
        true, pred = np.exp(0.5 * true), np.exp(0.5 * pred + left / 2)
    offset, unit = rng.choice([0.0, 5.0, 1e4]), rng.choice([1e-3, 1.0, 500.0])
    return offset + unit * true, offset + unit * pred, groups


def healthy_history(rng: np.random.Generator) -> tuple[History, int]:
    """A log that learns, and the epoch that was saved: constant, cosine, warm-up, plateau or early-stopped schedule."""
    epochs = int(rng.integers(8, 80))
    e = np.arange(epochs)
    schedule = rng.choice(["constant", "cosine", "warm-up", "plateau"])
    progress = {
        "constant": e / epochs,
        "cosine": (1 - np.cos(np.pi * e / epochs)) / 2,
        "warm-up": np.maximum(e - 3, 0) / epochs,
        "plateau": np.floor(5 * e / epochs) / 5,
    }[str(schedule)]
    best = rng.uniform(0.3, 0.95)
    r = best * (1 - np.exp(-6 * progress)) + rng.normal(0, 0.02, epochs)
    r = np.clip(r, -0.99, 0.99)
    # The initial output is noise of any width; it turns into what the model knows within some epochs.
    fading = np.exp(-e / rng.uniform(0.3, 2.0))
    ratio = np.abs(r) * np.exp(rng.normal(0, 0.08, epochs)) * (1 - fading) + rng.uniform(0.05, 1.0) * fading
    beta = rng.normal(0, 0.06, epochs) + rng.uniform(-4, 4) * fading
    r2 = 2 * r * ratio - ratio**2 - beta**2
    columns = {"variance_ratio": ratio, "r2": r2, "val_loss": (1 - r2) / 2, "train_r2": r2 + rng.uniform(0, 0.1)}
    if rng.random() < 0.5:
        columns["pearson_r"] = r
    saved = int(np.argmax(r2)) + 1
    end = min(epochs, saved + 10) if rng.random() < 0.5 else epochs
    return history_of(range(1, end + 1), **{k: v[:end].tolist() for k, v in columns.items()}), saved


def context_of(
    true: Array, pred: Array, groups: Array | None, history: History | None, saved: int | None, **config: object
) -> Context:
    frame = pl.DataFrame({"y_true": true, "y_pred": pred})
    if groups is not None:
        frame = frame.with_columns(pl.Series("flight_name", [f"f{g}" for g in groups]))
    summary: Mapping[str, object] = {
        "splits": {"train": {"n": 501, "true_mean": float(true.mean())}, "val": {"n": 144}}
    }
    run = Run(name="run", format="native", files={}, predictions=frame, split="test", summary=summary, config=config)
    final = final_of(run, history, saved, Settings())
    return Context(run=run, history=history, final=final, saved_epoch=saved)


def healthy_run(seed: int) -> Context:
    rng = np.random.default_rng(seed)
    true, pred, groups = healthy_predictions(rng)
    history, saved = healthy_history(rng)
    return context_of(true, pred, groups, history, saved, variance_lambda=0.0, batch_size=20)


def test_healthy_runs_get_no_warning() -> None:
    alarms: Counter[str] = Counter()
    critical = 0
    for seed in range(SEEDS):
        found = [f for f in findings_of(healthy_run(seed)) if f.severity is not Severity.INFO]
        alarms.update({f.rule for f in found})
        critical += any(f.severity is Severity.CRITICAL for f in found)
    assert critical == 0
    assert sum(alarms.values()) <= 0.01 * SEEDS, alarms


def shrunk(rng: np.random.Generator, known: Array) -> Array:
    return 0.4 * known


def shifted(rng: np.random.Generator, known: Array) -> Array:
    return known - 0.7


def widened(rng: np.random.Generator, known: Array) -> Array:
    return known + 1.2 * rng.standard_normal(known.size)


def unrelated(rng: np.random.Generator, known: Array) -> Array:
    return 0.1 * rng.standard_normal(known.size)


def constant(rng: np.random.Generator, known: Array) -> Array:
    return 0.005 * rng.standard_normal(known.size)


def clipped(rng: np.random.Generator, known: Array) -> Array:
    return np.clip(known, -0.35, 0.35)


@pytest.mark.parametrize(
    ("plant", "rule", "least", "rate"),
    [
        (shrunk, "spread.under", Severity.WARNING, 0.95),
        (shrunk, "range.unreached", Severity.WARNING, 0.9),
        (widened, "spread.over", Severity.CRITICAL, 0.95),
        (shifted, "bias.dominates", Severity.CRITICAL, 0.95),
        (unrelated, "signal.limited", Severity.INFO, 0.9),
        (constant, "collapse.constant", Severity.CRITICAL, 1.0),
        (clipped, "range.saturated", Severity.WARNING, 0.9),
    ],
)
def test_planted_faults_are_found(
    plant: Callable[[np.random.Generator, Array], Array], rule: str, least: Severity, rate: float
) -> None:
    """144 independent rows at r = 0.7; the share of 60 draws in which the rule speaks at this severity or above."""
    found = 0
    for seed in range(60):
        rng = np.random.default_rng(50_000 + seed)
        known = 0.7 * rng.standard_normal(144)
        true = known + np.sqrt(0.51) * rng.standard_normal(144)
        said = findings_of(context_of(true, plant(rng, known), None, None, None))
        found += any(f.rule == rule and f.severity.rank >= least.rank for f in said)
    assert found / 60 >= rate


ODD = (math.nan, math.inf, -math.inf, None, 0.0, -1.0, 1e-300, 1e300, 1e15, 0.5)


def test_odd_logs_raise_nothing_and_evidence_is_json() -> None:
    """Every pair of odd values in every column, one epoch and fractional epochs: outcomes only, finite evidence."""
    names = ("variance_ratio", "r2", "pearson_r", "pred_mean", "true_mean", "true_std", "train_r2", "variance_lambda")
    checked = 0
    for first, second in itertools.product(ODD, ODD):
        for epochs in ([1], [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]):
            values = [(first, second, 0.3)[i % 3] for i in range(len(epochs))]
            for subset in (names, names[:2], names[:3]):
                history = history_of(epochs, **dict.fromkeys(subset, values))
                run = Run(name="odd", format="x", files={}, config={"variance_lambda": 1.0, "batch_size": 3})
                logged = {name: history.at(epochs[-1], name) for name in subset}
                final = Final(split="validation", basis="history", estimates=logged)
                context = Context(run=run, history=history, final=final, saved_epoch=epochs[0])
                for rule in RULES:
                    outcome = rule.check(context, rule.limits())
                    assert isinstance(outcome, Checked | NotChecked)
                    for finding in outcome.findings if isinstance(outcome, Checked) else ():
                        json.dumps(dict(finding.evidence), allow_nan=False)
                        assert finding.message
                        assert finding.rule == rule.id
                        checked += 1
    assert checked > 100


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("n", [1, 2, 5, 40, 200])
def test_odd_predictions_raise_nothing_and_evidence_is_json(n: int, scale: float) -> None:
    rng = np.random.default_rng(n)
    base = rng.standard_normal(n)
    shapes = (base, np.zeros(n), np.ones(n) * 7, np.round(base), np.exp(8 * base), np.r_[np.zeros(n - 1), 1.0])
    for true, pred in itertools.product(shapes, shapes):
        context = context_of(scale * true, scale * pred, None, None, None, variance_lambda=0.5, batch_size=4)
        for finding in findings_of(context):
            json.dumps(dict(finding.evidence), allow_nan=False)


def test_importing_the_rules_loads_nothing_heavy() -> None:
    modules = ", ".join(
        f"runreport.rules.{rule}" for rule in ("bias", "collapse", "data", "penalty", "scale", "segment")
    )
    code = (
        f"import sys, {modules}, runreport.rules.signal, runreport.rules.spread, runreport.rules.value_range; "
        "print(sorted({'numpy', 'scipy', 'polars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
