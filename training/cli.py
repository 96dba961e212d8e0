"""``python -m training``: parse, call, print. Results on stdout, everything else on stderr."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from training.bench.command import add_bench, bench
from training.errors import ConfigError
from training.improve.command import add_improve, improve_command
from training.sweep.command import add_sweep, sweep

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
    add_sweep(commands)
    add_bench(commands)
    add_improve(commands)
    commands.add_parser("presets", help="list the configurations and sweeps that come with the package")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when done, 2 when what was asked for cannot be done, 130 when interrupted."""
    options = build_parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        print("interrupted; the history holds every finished epoch", file=sys.stderr)
        return EXIT_INTERRUPTED
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        named = f"{error.filename}: " if error.filename is not None else ""
        print(f"error: {named}{error.strerror or error}", file=sys.stderr)
    return EXIT_INPUT


def run(options: argparse.Namespace) -> int:
    """Trains one configuration."""
    from training.config_file import load_config
    from training.distributed import speaks
    from training.progress import make_progress, result_line
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


def list_presets(_: argparse.Namespace) -> int:
    """Prints each preset with the first line of its comment: those for ``run``, then those for ``sweep``."""
    from training.config_file import PRESETS, preset_names
    from training.sweep.plan import SWEEP_PRESETS, sweep_names

    for command, folder, names in (("run", PRESETS, preset_names()), ("sweep", SWEEP_PRESETS, sweep_names())):
        for name in names:
            first = (folder / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
            print(f"{command:5} {name:20} {first.lstrip('# ')}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": run,
    "sweep": sweep,
    "bench": bench,
    "improve": improve_command,
    "presets": list_presets,
}
