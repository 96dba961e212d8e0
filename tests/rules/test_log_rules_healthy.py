"""Healthy histories of many kinds: no rule that reads the log may warn of one."""

from __future__ import annotations

import math
import random

import pytest

from runreport.context import Context, history_of
from runreport.findings import Checked, Severity
from runreport.rules import fit, gradient, learning_rate, log_integrity, loss
from runreport.run import Run

RULES = (*log_integrity.RULES, *loss.RULES, *learning_rate.RULES, *gradient.RULES, *fit.RULES)
VARIANTS = ("plain", "interpolates", "negative_losses", "overfits_after_best")
SCHEDULES = ("constant", "cosine", "warmup_cosine", "step", "plateau", "one_cycle", "linear", "restarts")


def schedule(kind: str, n: int, peak: float, random_: random.Random) -> list[float]:
    """Rates as logged after each of ``n`` epochs."""
    warm = max(1, n // 10)
    if kind == "cosine":
        return [peak * 0.5 * (1 + math.cos(math.pi * e / n)) for e in range(1, n + 1)]
    if kind == "warmup_cosine":
        return [
            peak * min(1.0, e / warm) * (1 if e <= warm else 0.5 * (1 + math.cos(math.pi * (e - warm) / (n - warm))))
            for e in range(1, n + 1)
        ]
    if kind == "step":
        every = max(3, n // 3)
        return [peak * 0.1 ** ((e - 1) // every) for e in range(1, n + 1)]
    if kind == "plateau":
        rate, rates = peak, []
        for e in range(1, n + 1):
            if e > n // 2 and random_.random() < 0.15:
                rate *= 0.5
            rates.append(rate)
        return rates
    if kind == "one_cycle":
        top = max(2, int(0.3 * n))
        return [
            peak * (0.04 + 0.96 * e / top) if e <= top else peak * 0.5 * (1 + math.cos(math.pi * (e - top) / (n - top)))
            for e in range(1, n + 1)
        ]
    if kind == "linear":
        return [peak * (1 - e / n) for e in range(1, n + 1)]
    if kind == "restarts":
        period = max(5, n // 4)
        return [peak * 0.5 * (1 + math.cos(math.pi * ((e - 1) % period) / period)) for e in range(1, n + 1)]
    return [peak] * n


def float32(value: float) -> float:
    """The nearest float32, as a float: what a logger that stores float32 prints."""
    import struct

    return float(struct.unpack("f", struct.pack("f", value))[0])


def healthy(seed: int) -> Context:
    """A run that learned: error falls to a floor, ratio follows the correlation, mean stays near the truth's."""
    random_ = random.Random(seed)
    planned = random_.randint(12, 120)
    kind = SCHEDULES[seed % len(SCHEDULES)]
    peak = 10 ** random_.uniform(-4, -2)
    rates = schedule(kind, planned, peak, random_)
    stop_early = random_.random() < 0.4 and planned >= 30
    n = int(planned * random_.uniform(0.5, 0.95)) if stop_early else planned
    tau = planned / random_.uniform(6, 20)
    ceiling = random_.uniform(0.5, 0.98)
    jitter_train, jitter_val = random_.uniform(0.002, 0.05), random_.uniform(0.01, 0.12)
    sigma, mean = 10 ** random_.uniform(-3, 3), random_.uniform(-50, 50)
    places = random_.choice([3, 4, 6, None])
    gap = random_.uniform(0.0, 0.15)
    variant = VARIANTS[(seed // len(SCHEDULES)) % len(VARIANTS)]
    best_at = 0.6 * n  # of the variant that overfits after its best epoch
    columns: dict[str, list[float]] = {
        name: []
        for name in (
            "train_loss", "val_loss", "r2", "variance_ratio", "pearson_r", "pred_mean", "true_mean", "true_std",
            "train_r2", "learning_rate", "grad_norm_total", "rmse",
        )
    }  # fmt: skip
    for e in range(1, n + 1):
        progress = 1 - math.exp(-e / tau)
        level = ceiling * progress
        if variant == "overfits_after_best" and e > best_at:
            level *= 1 - 0.3 * (e - best_at) / n
        r = min(0.995, level * (1 + 0.3 * jitter_val * random_.gauss(0, 1)))
        alpha = max(0.01, r * (1 + 0.5 * jitter_val * random_.gauss(0, 1)))
        beta = 0.05 * random_.gauss(0, 1) + (0.5 * math.exp(-e / tau))
        r2 = 2 * r * alpha - alpha**2 - beta**2
        train_r2 = min(0.999, (ceiling**2 + gap * (1 - ceiling**2)) * progress**2)
        if variant == "overfits_after_best":
            train_r2 = 0.97 * progress
        train_loss = 0.5 * sigma**2 * (1 - train_r2) * math.exp(jitter_train * random_.gauss(0, 1))
        val_loss = 0.5 * sigma**2 * (1 - r2)
        if variant == "interpolates":
            left = 10 ** max(-9.0, -12 * e / n)
            train_r2 = 1 - left
            train_loss = 0.5 * sigma**2 * left * math.exp(0.3 * random_.gauss(0, 1))
        if variant == "negative_losses":
            train_loss, val_loss = math.log(train_loss) - 5, math.log(val_loss) - 5
        values = {
            "train_loss": train_loss,
            "val_loss": val_loss,
            "r2": r2,
            "variance_ratio": alpha,
            "pearson_r": r,
            "pred_mean": mean + beta * sigma,
            "true_mean": mean,
            "true_std": sigma,
            "train_r2": train_r2,
            "grad_norm_total": (0.2 + math.exp(-e / tau)) * math.exp(0.3 * random_.gauss(0, 1)),
            "rmse": sigma * math.sqrt(1 - r2),
        }
        for name, value in values.items():
            absolute = name in ("pred_mean", "true_mean", "true_std", "train_loss", "val_loss", "rmse")
            # What is in target units keeps its digits: nobody logs a std of 0.0004 with three decimals.
            columns[name].append(value if places is None or absolute else round(value, places))
        columns["learning_rate"].append(float32(rates[e - 1]) if seed % 3 else rates[e - 1])
    history = history_of(range(1, n + 1), **columns)
    saved = max(range(n), key=lambda i: columns["r2"][i]) + 1
    run = Run(
        name=f"healthy{seed}",
        format="native",
        files={},
        config={
            "loss": "gaussian_nll" if variant == "negative_losses" else "mse",
            "learning_rate": peak,
            "max_epochs": planned,
            "scheduler": kind.replace("plateau", "reduce_on_plateau").replace("restarts", "cosine_restarts"),
        },
        summary={
            "epochs_run": n,
            "stopped_because": "patience" if stop_early else "max_epochs",
            "splits": {"val": {"n": random_.choice([60, 144, 1000])}, "train": {"n": 501}},
        },
    )
    return Context(
        run=run, history=history, saved_epoch=saved if seed % 2 or variant == "overfits_after_best" else None
    )


def alarms(context: Context) -> list[str]:
    """Ids and messages of what is more than information."""
    found = []
    for rule in RULES:
        outcome = rule.check(context, rule.limits())
        if isinstance(outcome, Checked):
            found += [
                f"{f.rule} {f.severity}: {f.message}" for f in outcome.findings if f.severity is not Severity.INFO
            ]
    return found


@pytest.mark.parametrize("block", range(8))
def test_no_warning_on_healthy_histories(block: int) -> None:
    failures = {seed: found for seed in range(50 * block, 50 * (block + 1)) if (found := alarms(healthy(seed)))}
    # 400 histories; a rule that warned of 1 % of them would be seen here with 98 % probability.
    assert failures == {}


def test_the_healthy_histories_are_really_judged() -> None:
    judged: dict[str, int] = {rule.id: 0 for rule in RULES}
    for seed in range(64):
        context = healthy(seed)
        for rule in RULES:
            judged[rule.id] += isinstance(rule.check(context, rule.limits()), Checked)
    never = {rule for rule, count in judged.items() if count == 0}
    # No penalty gradient is logged and no selection was audited in these; everything else must have been looked at.
    assert never == {"gradient.ratio", "loss.metric-disagree"}
    assert judged["loss.divergence"] == judged["log.inconsistent"] == 64
