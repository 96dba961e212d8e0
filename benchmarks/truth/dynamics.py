"""A training run as a dynamical system: how fast signal is learned, noise memorised, and how far the weights wander.

Modes of a linear network are learned at rates of their own, c(τ) = 1 - exp(-rate · τ), with τ the sum of the learning
rates so far (Saxe, McClelland & Ganguli 2014); what is memorised of the training noise comes back on other rows as
noise of its own. The wandering between epochs grows with the learning rate. A plant changes one of these terms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize_scalar

from benchmarks.truth.world import FAST, FIELDS, MEMORY, NOISE, SLOW, Array, Sample, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run is trained. Arrays are one value an epoch; offsets and spreads are in standard units of the target.

    ``rate`` and ``configured`` are in units of ``peak_rate``: the rates that were used, and the one in the config.
    """

    epochs: int
    peak_rate: float
    rate: Array
    configured: float
    speed: float
    slow: float
    memory: float
    echo: float
    start_offset: float
    jitter: float
    seed_noise: float
    offset: Array
    spread: Array
    kept_signal: Array
    thrown: Array
    penalty: float = 0.0
    asymmetry: float = 0.5
    bounds: tuple[float, float] | None = None
    squash: float = 0.0
    unit_scale: float = 1.0
    unit_shift: float = 0.0
    eval_shift: float = 0.0
    group_offset: float = 0.0
    group_share: float = 0.0
    leak_target: float = 0.0
    leak_rows: float = 0.0
    leak_counted: bool = True
    signal_cut: bool = False
    not_finite_from: int | None = None
    monitor: str = "r2"
    patience: int | None = None
    forced_pick: float | None = None
    loss: str = "mse"
    warmup_epochs: float = 0.0
    schedule: str = "cosine"
    log_edits: tuple[tuple[str, float, float], ...] = ()
    onset: int | None = None
    config: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """The network after each epoch; arrays are (epochs,), ``wander`` (epochs, FIELDS)."""

    fast: Array
    slow: Array
    memorised: Array
    offset: Array
    spread: Array
    wander: Array


def healthy_plan(rng: np.random.Generator, world: World) -> Plan:
    """A run that learns what there is: warm-up of a few epochs, a decaying rate, the best epoch saved."""
    epochs = int(rng.integers(25, 100))
    warm = float(rng.integers(1, 5))
    schedule = str(rng.choice(["cosine", "step", "constant"]))
    rate = rate_curve(schedule, epochs, warm)
    constants = rng.uniform(7, 16)
    slow = float(rng.uniform(0.35, 0.7))
    return Plan(
        epochs=epochs,
        peak_rate=float(10 ** rng.uniform(-4, -2)),
        rate=rate,
        configured=float(rate.max()),
        speed=float(constants / rate.sum()),
        slow=slow,
        memory=float(rng.uniform(0.002, 0.012)),
        echo=float(rng.uniform(0.3, 0.8)),
        start_offset=float(-world.mean / world.std * rng.uniform(0, 1) if rng.random() < 0.3 else rng.normal(0, 0.4)),
        jitter=float(rng.uniform(0.01, 0.04)),
        seed_noise=float(world.rho * rng.uniform(0.08, 0.3)),
        offset=np.zeros(epochs),
        spread=np.ones(epochs),
        kept_signal=np.ones(epochs),
        thrown=np.zeros(epochs),
        monitor=str(rng.choice(["r2", "val_loss"])),
        patience=None if rng.random() < 0.5 else int(rng.integers(12, 25)),
        loss=str(rng.choice(["mse", "huber"])),
        warmup_epochs=warm,
        schedule=schedule,
    )


def rate_curve(schedule: str, epochs: int, warmup: float) -> Array:
    """Learning rate over its peak, an epoch each: linear warm-up, then the schedule."""
    epoch = np.arange(1, epochs + 1, dtype=float)
    warm = np.minimum(1.0, epoch / max(warmup, 1.0))
    progress = np.clip((epoch - warmup) / max(epochs - warmup, 1.0), 0, 1)
    if schedule == "cosine":
        after = 0.5 * (1 + np.cos(np.pi * progress)) * 0.98 + 0.02
    elif schedule == "step":
        after = np.where(progress < 0.5, 1.0, np.where(progress < 0.8, 0.3, 0.1))
    else:
        after = np.full(epochs, 0.6)
        warm = np.minimum(warm, 1.0)
    return warm * after


def run_states(world: World, plan: Plan, seed: int) -> States:
    """The network after each epoch, for this seed of initialisation and batch order."""
    rng = np.random.default_rng([seed, 17])
    tau = np.cumsum(plan.rate) * plan.speed
    rho = 0.0 if plan.signal_cut else world.rho
    fast = rho * np.sqrt(world.fast_share) * (1 - np.exp(-tau)) * plan.kept_signal
    slow = rho * np.sqrt(1 - world.fast_share) * (1 - np.exp(-plan.slow * tau)) * plan.kept_signal
    memorised = np.sqrt(1 - rho**2) * (1 - np.exp(-plan.memory * tau))
    shocks = rng.standard_normal((plan.epochs, FIELDS)) / np.sqrt(FIELDS)
    first = rng.standard_normal(FIELDS) / np.sqrt(FIELDS) * rng.uniform(0.1, 0.5)
    size = plan.jitter * np.maximum(plan.rate, 0.05)
    wander = size[:, None] * shocks + plan.thrown[:, None] * rng.standard_normal((plan.epochs, FIELDS)) / np.sqrt(
        FIELDS
    )
    # What the initialisation leaves behind for good: no two seeds end at the same function.
    settled = rng.standard_normal(FIELDS) / np.sqrt(FIELDS) * plan.seed_noise
    wander = wander + np.exp(-tau)[:, None] * first + (1 - np.exp(-tau))[:, None] * settled
    start = plan.start_offset + rng.normal(0, 0.1)
    offset = start * np.exp(-2 * tau) + plan.offset + 0.5 * size * rng.standard_normal(plan.epochs)
    offset = offset + 0.5 * plan.thrown * rng.standard_normal(plan.epochs)
    if plan.asymmetry != 0.5:
        from scipy.stats import norm

        # The quantile that an asymmetric absolute loss asks for, approached as the signal is learned.
        offset = offset + norm.ppf(plan.asymmetry) * np.sqrt(1 - rho**2) * (1 - np.exp(-0.5 * tau))
    spread = plan.spread.copy()
    if plan.penalty:
        own = np.sqrt(fast**2 + slow**2 + (plan.echo * memorised) ** 2 + (wander**2).sum(axis=1))
        wanted = np.array([spread_under_penalty(world, plan, f, s, o) for f, s, o in zip(fast, slow, own, strict=True)])
        spread = spread * (1 + (wanted / np.maximum(own, 0.02) - 1) * (1 - np.exp(-tau)))
    return States(fast=fast, slow=slow, memorised=memorised, offset=offset, spread=spread, wander=wander)


def spread_under_penalty(world: World, plan: Plan, fast: float, slow: float, own: float) -> float:
    """The std ratio that minimises ½MSE + λ(1 - α²)² at the network's present correlation."""
    explained = world.rho * (fast * np.sqrt(world.fast_share) + slow * np.sqrt(1 - world.fast_share))
    r = float(np.clip(explained / max(own, 1e-6), -1, 1))

    def objective(alpha: float) -> float:
        return 0.5 * world.std**2 * (1 - 2 * r * alpha + alpha**2) + plan.penalty * (1 - alpha**2) ** 2

    return float(minimize_scalar(objective, bounds=(0.0, 2.0), method="bounded").x)


def predict(world: World, plan: Plan, states: States, sample: Sample, *, training: bool = False) -> Array:
    """Predictions of every epoch, (epochs, n), in the target's units; on training rows the memorised noise is known."""
    latents = sample.latents
    own_noise = latents[NOISE] if training else plan.echo * latents[MEMORY]
    inner = (
        states.fast[:, None] * latents[FAST]
        + states.slow[:, None] * latents[SLOW]
        + states.memorised[:, None] * own_noise
        + states.wander @ latents[4:]
    )
    # An evaluation row of the shifted population lies eval_shift above the training rows; the network does not know.
    z = states.offset[:, None] + states.spread[:, None] * inner
    if plan.squash:
        z = np.tanh(z * plan.squash / 0.7) * 0.7 / plan.squash
    if plan.bounds is not None:
        z = np.clip(z, *plan.bounds)
    if not training:
        truth = world.truth(sample)
        if plan.leak_target:
            z = (1 - plan.leak_target) * z + plan.leak_target * truth
        if plan.leak_rows:
            known = (sample.position * 7919 + sample.group * 104729) % 1000 < plan.leak_rows * 1000
            z = z + known * states.memorised[:, None] * (latents[NOISE] - plan.echo * latents[MEMORY])
        if plan.group_offset:
            z = z + plan.group_offset * ((sample.group % max(round(1 / plan.group_share), 1)) == 0)
    return np.asarray((world.mean + world.std * z) * plan.unit_scale + plan.unit_shift)


def truth_of(world: World, plan: Plan, sample: Sample, *, training: bool = False) -> Array:
    """The target of these rows, in its units."""
    shift = 0.0 if training else plan.eval_shift
    return world.mean + world.std * (world.truth(sample) + shift)
