"""Tasks in processes of their own, so many at a time; one that breaks takes none of the others with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from training.errors import ConfigError

Task = TypeVar("Task")

STOP_SECONDS = 10.0
"""How long a process may take to end when told to, before it is killed: longer than a step, shorter than a person waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Generic[Task]):
    """What came of a task: ``value``, or the one line that says why there is none."""

    task: Task
    value: Any = None
    failure: str | None = None


def outcome(work: Callable[[Task], Any], task: Task) -> tuple[Any, str | None]:
    """What ``work`` gives, or the one line that says why it gives nothing."""
    try:
        return work(task), None
    except ConfigError as error:  # says what is wrong by itself
        return None, str(error)
    except Exception as error:  # whatever it is, it is this task's and not the others'
        return None, f"{type(error).__name__}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """The first line of an error's text; empty where it has none."""
    return (str(error).splitlines() or [""])[0]


def each_in_a_process(
    work: Callable[[Task], Any], tasks: Iterable[Task], *, jobs: int
) -> Generator[Result[Task], None, None]:
    """Yields a result as each task ends, ``jobs`` running at a time, each in a fresh ("spawned") interpreter.

    A process for each task rather than a pool of them: a run then starts from what a command of its own starts from, and
    a process that is killed (for its memory, say) loses its own task only, where a pool of the standard library loses
    all. ``work`` and tasks must be picklable; an exception of ``work`` becomes the failure's line. When the iteration is
    left early, running processes are stopped.
    """
    context = multiprocessing.get_context("spawn")
    waiting = iter(tasks)
    running: dict[Connection, tuple[BaseProcess, Task]] = {}
    try:
        while True:
            while len(running) < jobs:
                try:
                    task = next(waiting)
                except StopIteration:
                    break
                receiver, sender = context.Pipe(duplex=False)
                process: BaseProcess = context.Process(target=_answer, args=(work, task, sender), daemon=True)
                process.start()
                sender.close()  # so that the pipe ends with the process
                running[receiver] = (process, task)
            if not running:
                return
            for ready in set(running) & set(wait(list(running))):
                yield _result(ready, *running.pop(ready))
    finally:
        _stop([process for process, _ in running.values()])


def _answer(work: Callable[[Task], Any], task: Task, sender: Connection) -> None:
    """In the process: the outcome goes through the pipe. Ctrl-C reaches the whole group; the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer = outcome(work, task)
    with suppress(BrokenPipeError):
        sender.send(answer)


def _result(receiver: Connection, process: BaseProcess, task: Task) -> Result[Task]:
    try:
        value, failure = receiver.recv()
    except EOFError:  # the process is gone without a word
        process.join()
        code = process.exitcode or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code} and no result"
        value, failure = None, f"its process {how}"
    receiver.close()
    process.join()
    return Result(task=task, value=value, failure=failure)


def _stop(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
