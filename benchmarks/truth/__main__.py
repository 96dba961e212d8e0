"""``python -m benchmarks.truth``: plants, diagnoses, scores; writes benchmarks/results/truth.json and docs/truth.md.

Thresholds of runreport are tuned on ``--split dev`` only; ``--split test`` is for the figures that are published.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

# Before any numerical library is loaded: the processes share the cores, threads inside them would only be in the way.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / "benchmarks" / "results" / "truth.json"
PAGE = ROOT / "docs" / "truth.md"
FLOORS = ROOT / "benchmarks" / "truth" / "floors.json"


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth", description=__doc__)
    parser.add_argument(
        "--split", choices=("dev", "dev2", "dev3", "test"), default="dev", help="seeds to use (default: dev)"
    )
    parser.add_argument("--quick", action="store_true", help="a fixed subset; prints, and writes only where --out says")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help=f"JSON file (default: {RESULT.relative_to(ROOT)}, quick: none)")
    parser.add_argument("--cases", type=Path, help="also write every case and what was said of it, as JSON lines")
    parser.add_argument("--no-peers", action="store_true", help="leave the other tools out")
    parser.add_argument("--page", action="store_true", help="only write the page anew from the JSON")
    parser.add_argument("--check", action="store_true", help=f"with --quick: fail below {FLOORS.relative_to(ROOT)}")
    parser.add_argument("--readme", action="store_true", help="only write the README's tables anew from the JSON files")
    options = parser.parse_args()
    if options.check and not options.quick:
        parser.error("--check: the floors are those of --quick")
    if options.readme:
        from benchmarks.truth.readme import write_tables

        write_tables()
        return

    from benchmarks.truth.page import page

    out = options.out or (None if options.quick else RESULT)
    if not options.page:
        result = results(options)
        if options.check:
            sys.exit(_check(result))
        if out is None:
            print(json.dumps(result, indent=1))
            return
        known = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
        known[options.split] = result
        out.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    if out is None or out == RESULT:
        PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


def _check(result: dict[str, object]) -> int:
    """Prints the quick scores beside their floors; 1 where one is below."""
    from benchmarks.truth.floors import below, compared

    floors = json.loads(FLOORS.read_text(encoding="utf-8"))
    rows = compared(result, floors)
    for row in rows:
        print(row.line())
    return 1 if below(rows) else 0


def results(options: argparse.Namespace) -> dict[str, object]:
    """Scores of every tool on one split."""
    from benchmarks.truth.peers import installed
    from benchmarks.truth.report import summary, write_cases
    from benchmarks.truth.run import run

    peers = {} if options.no_peers else installed()
    items = run(
        options.split, quick=options.quick, peers=[n for n, v in peers.items() if v], processes=options.processes
    )
    if options.cases:
        write_cases(options.cases, items)
    return summary(items, peers, quick=options.quick)


if __name__ == "__main__":
    main()
