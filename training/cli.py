"""``python -m training``: parse, call, print. Results on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.errors import ConfigError

EXIT_INPUT = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains the example experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train one configuration and write its artifacts")
    run.add_argument("config", help="a YAML file or the name of a preset")
    run.add_argument("--out", type=Path, default=Path("logs"), help="tables go to OUT/csv (default: logs)")
    run.add_argument("--checkpoint-dir", type=Path, help="where the best weights go (default: OUT/checkpoints)")
    again = run.add_mutually_exclusive_group()
    again.add_argument("--force", action="store_true", help="replace an earlier run of the same name")
    again.add_argument("--resume", action="store_true", help="go on where the run was cut off; begin where it was not")
    run.add_argument("--device", choices=("auto", "cpu", "cuda"), help="overrides the configuration")
    run.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides", help="data.noise=0.5 for nested"
    )
    commands.add_parser("presets", help="list the configurations that come with the package")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when done, 2 when what was asked for cannot be done, 130 when interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        return list_presets() if options.command == "presets" else run(options)
    except KeyboardInterrupt:
        print("interrupted; the history holds every finished epoch", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (ConfigError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_INPUT


def run(options: argparse.Namespace) -> int:
    """Trains one configuration."""
    from training.config_file import load_config
    from training.distributed import speaks
    from training.progress import make_progress
    from training.run import Places, run_training

    config = load_config(options.config, options.overrides)
    if options.device is not None:
        config = dataclasses.replace(config, device=options.device)
    places = Places.of(config.run_name, out=options.out, checkpoints=options.checkpoint_dir)
    metrics = run_training(config, places, force=options.force, resume=options.resume, progress=make_progress)
    if speaks():
        print(result_line(metrics))
        print(f"artifacts in {places.folder}, weights in {places.checkpoint}")
    return 0


def result_line(metrics: dict[str, Any]) -> str:
    """One line on how the test split came out.

    >>> result_line({"run": "a", "selected_epoch": 3, "selected_by": "r2", "epochs_run": 5, "num_samples": 144,
    ...     "stopped_because": "patience", "r2": 0.5, "variance_ratio": None, "mae": 0.25})
    'a: epoch 3 by r2 (5 run, patience); test n 144, R² 0.5000, variance ratio –, MAE 0.2500'
    """

    def number(key: str) -> str:
        return "–" if metrics[key] is None else f"{metrics[key]:.4f}"

    return (
        f"{metrics['run']}: epoch {metrics['selected_epoch']} by {metrics['selected_by']} "
        f"({metrics['epochs_run']} run, {metrics['stopped_because']}); test n {metrics['num_samples']}, "
        f"R² {number('r2')}, variance ratio {number('variance_ratio')}, MAE {number('mae')}"
    )


def list_presets() -> int:
    """Prints each preset with the first line of its comment."""
    from training.config_file import PRESETS, preset_names

    for name in preset_names():
        first = (PRESETS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
        print(f"{name:10} {first.lstrip('# ')}")
    return 0
