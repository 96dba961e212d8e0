"""``python -m benchmarks.truth.efficacy``: applies the first advice, trains again; writes efficacy.json and docs/efficacy.md.

Advice is worked on with ``--split dev`` only; ``--split test`` is for the figures that are published.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

# Before any numerical library is loaded: the processes share the cores, threads inside them would only be in the way.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parent.parent.parent.parent
RESULT = ROOT / "benchmarks" / "results" / "efficacy.json"
PAGE = ROOT / "docs" / "efficacy.md"


def main() -> None:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truth.efficacy", description=__doc__)
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="seeds to use (default: dev)")
    parser.add_argument("--quick", action="store_true", help="a fixed subset; prints, and writes only where --out says")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help=f"JSON file (default: {RESULT.relative_to(ROOT)}, quick: none)")
    parser.add_argument("--store", type=Path, help="folder that keeps trained runs: a second call trains only new ones")
    parser.add_argument("--page", action="store_true", help="only write the page anew from the JSON")
    options = parser.parse_args()

    from benchmarks.truth.efficacy.page import page

    out = options.out or (None if options.quick else RESULT)
    if not options.page:
        from benchmarks.truth.efficacy.summary import summary
        from benchmarks.truth.efficacy.trial import tried

        runs, excluded = tried(options.split, quick=options.quick, processes=options.processes, store=options.store)
        result = summary(runs, excluded, quick=options.quick)
        if out is None:
            print(json.dumps(result, indent=1))
            return
        known = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
        known[options.split] = result
        out.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if out is None or out == RESULT:
        PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
