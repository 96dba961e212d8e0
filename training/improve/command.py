"""``python -m training improve``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROUNDS = 5
"""Runs in all where nothing is said: a loop that has not ended by then needs a person's thought, not a sixth try."""


def add_improve(commands: Any) -> None:
    """The command's arguments."""
    parser = commands.add_parser("improve", help="train, follow the report's advice, train again")
    parser.add_argument("config", help="a YAML file or the name of a preset")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"runs in all, at most (default: {ROUNDS})")
    parser.add_argument(
        "--until", help="stop when this tier of the criteria is met (default: the highest; none: go on)"
    )
    parser.add_argument("--criteria", type=Path, help="YAML file of success criteria (default: runreport's own)")
    parser.add_argument("--out", type=Path, default=Path("logs"), help="tables go to OUT/csv (default: logs)")
    parser.add_argument("--reports", type=Path, help="reports and the story (default: reports/<run>_improved)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="overrides the configuration")
    parser.add_argument("--force", action="store_true", help="replace earlier rounds of the same name")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides")


def improve_command(options: argparse.Namespace) -> int:
    """Runs the loop and writes its story; 0 when it has ended by itself or with its rounds."""
    import dataclasses

    from training.config_file import load_config
    from training.errors import ConfigError
    from training.improve.loop import improve, round_name
    from training.improve.story import story_page
    from training.places import Places, check_writable
    from training.progress import make_progress
    from training.run import run_training

    if options.rounds < 1:
        raise ConfigError(f"--rounds: found {options.rounds}; expected at least 1")
    config = load_config(options.config, options.overrides)
    if options.device is not None:
        config = dataclasses.replace(config, device=options.device)
    if options.criteria is not None and not options.criteria.is_file():
        raise ConfigError(f"--criteria: {options.criteria}: no such file")
    reports = options.reports or Path("reports") / f"{config.run_name}_improved"
    check_writable(options.out, "--out")
    check_writable(reports, "--reports")
    if not options.force:
        for number in range(1, options.rounds + 1):
            name = round_name(config.run_name, number)
            there = Places.of(name, out=options.out).present(name)
            if there:
                raise ConfigError(
                    f"{there[0]}: run '{name}' is already there; use --force to begin anew, or set run_name"
                )
    story = improve(
        config,
        rounds=options.rounds,
        out=options.out,
        reports=reports,
        train=lambda c, places: run_training(c, places, force=options.force, progress=make_progress),
        until=options.until,
        criteria=options.criteria,
        tell=lambda line: print(line, file=sys.stderr),
    )
    page = reports / "story.md"
    page.write_text(story_page(story), encoding="utf-8", newline="\n")
    print(f"{story.ended_because}; the story is {page}")
    return 0
