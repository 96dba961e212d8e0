"""Processes of a sweep: results, failures that stay alone, and an end that leaves nothing behind."""

import math
import multiprocessing
import os
import signal
import time

import pytest

from training.sweep.pool import Result, each_in_a_process

# The functions are the standard library's: a spawned process imports them by name.


def test_results_and_failures_come_back_with_their_tasks() -> None:
    results = {result.task: result for result in each_in_a_process(math.sqrt, [4.0, -1.0, 9.0], jobs=2)}
    assert results[4.0] == Result(task=4.0, value=2.0)
    assert results[9.0] == Result(task=9.0, value=3.0)
    assert results[-1.0].value is None
    assert (results[-1.0].failure or "").startswith("ValueError: ")


def test_a_process_that_is_killed_takes_no_other_with_it() -> None:
    tasks = [signal.SIGKILL, 0]  # signal 0 is none: that process ends by itself
    first, second = each_in_a_process(signal.raise_signal, tasks, jobs=1)
    assert first.failure == f"its process was killed by signal {int(signal.SIGKILL)}"
    assert "killed" not in (second.failure or "")
    (left,) = each_in_a_process(os._exit, [3], jobs=1)
    assert left.failure == "its process ended with exit code 3 and no result"


def test_nothing_to_do_is_done() -> None:
    assert list(each_in_a_process(math.sqrt, [], jobs=2)) == []


def test_so_many_at_a_time_and_none_left_when_left_early() -> None:
    begun = time.monotonic()
    results = each_in_a_process(time.sleep, [0.0, 600.0, 601.0, 602.0], jobs=3)
    assert next(results).task == 0.0
    assert len(multiprocessing.active_children()) <= 3
    results.close()
    assert multiprocessing.active_children() == []
    assert time.monotonic() - begun < 300


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_task_is_done_once(jobs: int) -> None:
    tasks = [float(value) for value in range(5)]
    assert sorted(result.task for result in each_in_a_process(math.sqrt, tasks, jobs=jobs)) == tasks
