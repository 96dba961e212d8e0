"""Runs every tool over every case, in as many processes as are asked for."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks.truth.case import Split
from benchmarks.truth.outcome import Outcome


def run_part(task: tuple[Split, bool, tuple[str, ...], tuple[int, int]]) -> list[Outcome]:
    """The outcomes of one share of the cases."""
    from benchmarks.truth.diagnose import diagnose
    from benchmarks.truth.outcome import outcome
    from benchmarks.truth.peers import diagnose_with
    from benchmarks.truth.sources import SOURCES

    split, quick, peers, part = task
    out = []
    for _, cases in SOURCES:
        for case in cases(split, quick, part=part):
            said = {"runreport": diagnose(case)} | {name: diagnose_with(name, case) for name in peers}
            out.append(outcome(case, said))
    return out


def run(split: Split, *, quick: bool, peers: Sequence[str], processes: int) -> list[Outcome]:
    """Every outcome, in the order of the case names whatever the number of processes."""
    tasks = [(split, quick, tuple(peers), (i, processes)) for i in range(processes)]
    if processes == 1:
        parts = [run_part(tasks[0])]
    else:
        # Spawned, not forked: polars keeps threads that do not survive a fork.
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(run_part, tasks))
    return sorted((item for part in parts for item in part), key=lambda item: (item.source, item.name))
