"""``python -m training bench``: parse, measure, print."""

from __future__ import annotations

import argparse
from pathlib import Path

CASE_FORM = "FRAMESxHEIGHTxWIDTHxBATCHxSAMPLES, such as 3x48x48x20x501"
ROUNDS, QUICK_ROUNDS = 15, 2
"""15: the 95 % interval of a median then runs from the 4th to the 12th value, so that three slow rounds do no harm."""
MOST_ROUNDS, MOST_THREADS = 10_000, 1024


def add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's arguments."""
    bench = commands.add_parser("bench", help="time this loop beside a plain one, and beside what the machine can do")
    bench.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where (default: auto)")
    bench.add_argument("--out", type=Path, metavar="FILE", help="write the figures to this JSON file as well")
    bench.add_argument("--rounds", type=int, help=f"epochs of each loop that are timed (default: {ROUNDS})")
    bench.add_argument("--threads", type=int, default=2, help="CPU threads (default: 2, as the presets)")
    bench.add_argument("--case", action="append", default=[], metavar="SIZE", dest="cases", help=CASE_FORM)
    bench.add_argument("--quick", action="store_true", help="a tiny size and two rounds: does everything run?")


def bench(options: argparse.Namespace) -> int:
    """Runs the benchmark and prints it."""
    from runreport.artifacts import write_json
    from training.acceleration import say
    from training.bench.cases import default_cases, parse_case
    from training.bench.lines import bench_lines
    from training.bench.measure import run_bench
    from training.environment import choose_device
    from training.errors import ConfigError

    rounds = options.rounds if options.rounds is not None else QUICK_ROUNDS if options.quick else ROUNDS
    for name, value, most in (("rounds", rounds, MOST_ROUNDS), ("threads", options.threads, MOST_THREADS)):
        if not 1 <= value <= most:
            raise ConfigError(f"--{name}: found {value}; expected 1 to {most}")
    # Before minutes of measuring, not after them.
    if options.out is not None and (options.out.is_dir() or not options.out.absolute().parent.is_dir()):
        raise ConfigError(f"--out {options.out}: expected a file in a folder that is there")
    device = choose_device(options.device)
    cases = [parse_case(text) for text in options.cases] or default_cases(device, quick=options.quick)
    document = run_bench(cases, device, rounds=rounds, threads=options.threads, tell=say, quick=options.quick)
    print("\n".join(bench_lines(document)))
    if options.out is not None:
        write_json(options.out, document)
    return 0
