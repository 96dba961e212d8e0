"""Times our loop and the plain one in turn; the document that the command prints and writes."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from training.bench.cases import RUN_SAMPLES, RUN_VAL_SAMPLES, BenchCase, preset_config, random_split
from training.bench.loops import SEED, Loop, fast_config, make_plain, make_trainer, our_loop, plain_loop
from training.bench.pairs import PairedRatio, Times, in_turn, paired_ratio
from training.bench.plain import PlainLoop
from training.bench.probes import Clock, choose_clock
from training.bench.roofline import measure_probes, roofline
from training.bench.whole import diagnostics_cost, whole_epochs
from training.bench.work import Work, work_of
from training.config import Config
from training.data import Dataset, Split
from training.environment import make_reproducible, versions
from training.precision import Precision

CLOCK_NAMES = {time.process_time: "processor", time.perf_counter: "wall"}
WHOLE_EPOCHS = 5  # only the length of an epoch comes from these, no ratio


def run_bench(
    cases: Sequence[BenchCase],
    device: torch.device,
    *,
    rounds: int,
    threads: int,
    tell: Callable[[str], None],
    quick: bool = False,
) -> dict[str, Any]:
    """Measures every case; returns what the JSON file holds. ``tell`` gets a line as each case begins.

    Torch's global switches and generator are left changed: this is for a process of its own.
    """
    make_reproducible(seed=SEED, threads=threads, device=device)
    described = describe_device(device, threads)
    clock = choose_clock(device, threads)
    probes = measure_probes(device, clock, quick=quick)
    return {
        "device": described,
        "versions": versions(),
        "rounds": rounds,
        "quick": quick,
        "clock": CLOCK_NAMES[clock],
        "probes": probes,
        "cases": [measure_case(case, device, probes, rounds=rounds, threads=threads, tell=tell) for case in cases],
    }


def describe_device(device: torch.device, threads: int) -> dict[str, Any]:
    """What the figures were taken on, and how busy it was before they began (None where the system does not say)."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    host = {"cpu": _cpu_name(), "cores": os.cpu_count(), "threads": threads, "load_before": load}
    if device.type != "cuda":
        return {"kind": "cpu", "name": _cpu_name(), "instructions": torch.backends.cpu.get_cpu_capability(), **host}
    properties = torch.cuda.get_device_properties(device)
    return {
        "kind": "cuda",
        "name": properties.name,
        "memory_gib": properties.total_memory / 2**30,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        **host,
    }


def _cpu_name() -> str:
    """The processor as Linux names it; elsewhere its architecture."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def measure_case(
    case: BenchCase,
    device: torch.device,
    probes: dict[str, float],
    *,
    rounds: int,
    threads: int,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """One size: three loops in turn (plain, ours as the presets run, ours at its fastest), roofline, diagnostics."""
    tell(f"{case.name}: {case.samples} samples of {case.frames} × {case.height} × {case.width}, batch {case.batch}")
    split = random_split(case, seed=SEED)
    on_device = split.to(device)
    config = preset_config(case, device, threads=threads)
    fast = make_trainer(fast_config(config, device), split, on_device, device)
    loops = {
        "plain": plain_loop(make_plain(case, split, device, threads=threads), config),
        "presets": our_loop(make_trainer(config, split, on_device, device), tell=tell),
        "fast": our_loop(fast, tell=tell),
    }
    first_losses = {name: loop.epoch() for name, loop in loops.items()}  # and the warm-up
    times = dict(zip(loops, in_turn([loop.epoch for loop in loops.values()], device, rounds), strict=True))
    clock = choose_clock(device, threads)
    step_seconds = least_step_seconds(times["fast"], case, clock)
    work = step_work(make_plain(case, split, device, threads=threads), fast.config, split)
    loops["fast"].epoch()  # puts its switches back
    epoch = whole_epochs(fast, _dataset(case, on_device, device), clock, epochs=min(rounds, WHOLE_EPOCHS))
    return {
        "case": dataclasses.asdict(case),
        "loops": {
            name: speed(
                loop,
                times[name],
                case,
                fast.steps_per_epoch,
                reference=times["plain"],
                one_thread=clock is time.process_time,
            )
            | {"first_epoch_loss": first_losses[name]}
            for name, loop in loops.items()
        },
        "roofline": roofline(work, step_seconds, probes, fast.config.precision),
        "epoch": epoch,
        "diagnostics": diagnostics_cost(fast, clock, epoch["epoch_seconds"]),
    }


def step_work(plain: PlainLoop, config: Config, split: Split) -> Work:
    """The work of a plain step on the first batch, in the precision of ``config``: what any loop has to do."""
    count = min(config.batch_size, len(split))
    batch = [part[:count].to(plain.device) for part in (split.frames, split.angles, split.target)]

    def step() -> None:
        with Precision(config.precision, plain.device).autocast():
            plain.step(*batch)

    plain.model.train()
    step()  # the first makes the optimizer's state
    return work_of(step)


def least_step_seconds(times: Times, case: BenchCase, clock: Clock) -> float:
    """The least that a step of a full batch took, from the times of whole epochs, whose last batch may be smaller."""
    return min(times.by(clock)) * min(case.batch, case.samples) / case.samples


def speed(
    loop: Loop, times: Times, case: BenchCase, steps: int, *, reference: Times, one_thread: bool
) -> dict[str, Any]:
    """A loop's figures from the times of its epochs, and how many times faster than the reference it is.

    By the wall clock, and with ``one_thread``, on a CPU, by the processor's time as well.
    """
    median = statistics.median(times.wall)
    return {
        "settings": loop.settings,
        "epoch_seconds": median,
        "epoch_seconds_range": [min(times.wall), max(times.wall)],
        "epoch_processor_seconds": statistics.median(times.processor),
        "step_ms": 1000.0 * median / steps,
        "samples_per_second": case.samples / median,
        "times_plain": _ratio(paired_ratio(reference.wall, times.wall)),
        "times_plain_processor": _ratio(paired_ratio(reference.processor, times.processor)) if one_thread else None,
    }


def _ratio(ratio: PairedRatio) -> dict[str, Any]:
    return dataclasses.asdict(ratio) | {"verdict": ratio.verdict()}


def _dataset(case: BenchCase, train: Split, device: torch.device) -> Dataset:
    """Validation samples in the published runs' proportion; the test split is never looked at."""
    count = max(2, round(case.samples * RUN_VAL_SAMPLES / RUN_SAMPLES))
    val = random_split(case, seed=SEED + 1, samples=count).to(device)
    return Dataset(train=train, val=val, test=val)
