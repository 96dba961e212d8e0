"""``python -m training sweep``: plan, skip what is there, train the rest, sum up."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import ConfigError

if TYPE_CHECKING:
    from training.sweep.plan import Plan, PlannedRun
    from training.sweep.pool import Result
    from training.sweep.train import Job

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130


def add_sweep(commands: Any) -> None:
    """The arguments of ``sweep``."""
    parser = commands.add_parser("sweep", help="train a grid of settings and seeds; goes on where it was cut off")
    parser.add_argument("sweep", help="a YAML file or the name of a sweep (see presets)")
    parser.add_argument("--out", type=Path, default=Path("logs"), help="tables go to OUT/NAME (default: logs)")
    parser.add_argument(
        "--checkpoint-dir", type=Path, help="the weights go to DIR/NAME (default: OUT/checkpoints/NAME)"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="runs at a time (default: one a core)")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="on a Ray cluster: RAY_ADDRESS or one that runs here unless named, else this machine (extra: cluster)",
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="small runs of one shape as one stack, in one process; no weights are kept (see docs/training.md)",
    )
    parser.add_argument(
        "--gpu-share",
        type=float,
        metavar="X",
        help="with --ray: GPUs a run takes, such as 0.25 (default: 1 if any, else 0)",
    )
    parser.add_argument("--force", action="store_true", help="train again what is already there")
    parser.add_argument("--dry-run", action="store_true", help="list the runs and what is there of them; train nothing")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="overrides the configuration")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="for all runs of the sweep"
    )


def sweep(options: argparse.Namespace) -> int:
    """Trains what is missing of a sweep; 0 when all of it is there, 1 when runs failed, 130 when interrupted."""
    from training.sweep.own_data import check_data
    from training.sweep.plan import load_plan
    from training.sweep.standing import finished
    from training.sweep.summary import summary_table

    if options.jobs is not None and options.jobs < 1:
        raise ConfigError(f"--jobs: found {options.jobs}; expected at least 1")
    if options.ray is not None and options.jobs is not None:
        raise ConfigError(
            "--jobs: with --ray the cluster's cores and GPUs decide how many runs go at a time; leave it out"
        )
    if options.gpu_share is not None and (options.ray is None or not 0 <= options.gpu_share < math.inf):
        raise ConfigError(f"--gpu-share: found {options.gpu_share}; expected at least 0, and --ray")
    if options.together and (options.jobs is not None or options.ray is not None):
        raise ConfigError(
            "--together: found with --jobs or --ray; the runs of a stack are one process here: leave it out"
        )
    plan = load_plan(options.sweep, options.overrides, device=options.device)
    folder = options.out / plan.name
    _check_places(plan, folder, options)
    metrics: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    missing: list[PlannedRun] = []
    for run in plan.runs:
        try:
            there = None if options.force else finished(folder, run, epoch_predictions=plan.epoch_predictions)
        except ConfigError as error:
            failures[run.name] = str(error)
            _say(f"failed   {run.name}: {error}")
            continue
        if there is None:
            missing.append(run)
        else:
            metrics[run.name] = there
    check_data([run.config for run in missing])
    _say(f"{plan.name}: {len(plan.runs)} runs, {len(metrics)} already there, {len(missing)} to train")
    if options.dry_run:
        for run in plan.runs:
            standing = "there" if run.name in metrics else "failed" if run.name in failures else "to train"
            print(f"{standing:8} {run.name}")
        return EXIT_FAILED if failures else 0
    interrupted = _train(plan, missing, folder, options, metrics, failures)
    if interrupted:
        # A run may have become whole without its process having been heard.
        for run in missing:
            with contextlib.suppress(ConfigError):
                there = finished(folder, run, epoch_predictions=plan.epoch_predictions)
                if there is not None:
                    metrics[run.name] = there
    print(summary_table(plan.runs, metrics))
    print(f"test split; mean ± standard deviation over seeds (ddof 1); artifacts in {folder}")
    for name, reason in failures.items():
        print(f"failed: {name}: {reason}")
    if interrupted:
        _say(f"interrupted with {len(metrics)} of {len(plan.runs)} runs complete; the same command goes on from here")
        return EXIT_INTERRUPTED
    return EXIT_FAILED if failures else 0


def _train(
    plan: Plan,
    missing: list[PlannedRun],
    folder: Path,
    options: argparse.Namespace,
    metrics: dict[str, dict[str, Any]],
    failures: dict[str, str],
) -> bool:
    """Trains the missing runs, adding to ``metrics`` and ``failures`` as they end; whether it was interrupted."""
    from training.places import Places
    from training.progress import result_line
    from training.sweep.train import Job

    weights = _weights(plan, options)
    jobs = [
        Job(
            run=run,
            places=Places(folder=folder, checkpoint=weights / f"{run.name}.pt"),
            force=options.force,
            epoch_predictions=plan.epoch_predictions,
        )
        for run in missing
    ]
    if not jobs:
        return False
    results = _results(plan, jobs, options)
    try:
        with _terminated_as_interrupted(), contextlib.closing(results):
            for count, result in enumerate(results, start=1):
                name = result.task.run.name
                if result.failure is not None:
                    failures[name] = result.failure
                    _say(f"[{count}/{len(jobs)}] failed {name}: {result.failure}")
                    continue
                metrics[name] = result.value
                _say(f"[{count}/{len(jobs)}] {result_line(result.value)}")
    except KeyboardInterrupt:
        return True
    return False


def _results(plan: Plan, jobs: list[Job], options: argparse.Namespace) -> Generator[Result[Job], None, None]:
    """The outcomes of the jobs as they come, from where the options say that they run."""
    from training.sweep import on_ray, pool
    from training.sweep.together import each_together
    from training.sweep.train import train

    if options.together:
        return each_together(jobs, say=_say)
    if options.ray is None:
        return pool.each_in_a_process(train, jobs, jobs=options.jobs or _default_jobs(plan))
    on_ray.connect(options.ray)  # now: Ray takes SIGTERM for itself, and what interrupts a sweep must come after
    gpus = options.gpu_share
    if gpus is None:
        gpus = 1.0 if on_ray.gpus_there() and any(run.config.device != "cpu" for run in plan.runs) else 0.0
    share = on_ray.Share(cpus=max(run.config.threads for run in plan.runs), gpus=gpus)
    if on_ray.fits_no_node(share):
        _say(
            f"no node has {share.cpus:g} CPUs and {share.gpus:g} GPUs, which a run takes; Ray waits until there is one"
        )
    return on_ray.each_on_ray(train, jobs, share=share)


def _weights(plan: Plan, options: argparse.Namespace) -> Path:
    folder: Path = options.checkpoint_dir or options.out / "checkpoints"
    return folder / plan.name


def _check_places(plan: Plan, folder: Path, options: argparse.Namespace) -> None:
    from training.places import check_writable

    check_writable(folder, "--out")
    check_writable(_weights(plan, options), "--checkpoint-dir" if options.checkpoint_dir is not None else "--out")


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Takes SIGTERM, by which batch systems end a job, for Ctrl-C: else the processes would train on by themselves."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _default_jobs(plan: Plan) -> int:
    """As many runs as have a core for each of their threads; one where they would share a GPU."""
    if any(run.config.device != "cpu" for run in plan.runs):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // max((run.config.threads for run in plan.runs), default=1))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
