"""Tasks on a Ray cluster: where each runs, and what becomes of it when a node is lost, is Ray's to decide."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import ConfigError
from training.sweep.pool import Result, Task, first_line, outcome

RETRIES = 5
"""Times that Ray begins a task again whose node or process is gone. A run then goes on from its last whole epoch, so that a
retry costs an epoch; machines that are taken back now and then (spot instances) seldom take five of one run's. A task that
ends its process itself, for its memory say, must end some time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one task takes of a node: ``cpus`` cores and ``gpus`` GPUs. Parts may be asked for: of 0.25 four share one."""

    cpus: float
    gpus: float = 0.0


def connect(address: str) -> None:
    """Joins the cluster at ``address``; where that is empty, Ray's own choice: RAY_ADDRESS, one that runs here, else a new one
    of this machine's cores, which ends with the program.

    Raises
    ------
    ConfigError
        Ray is not installed, or there is no cluster.
    """
    # Ray reports its use to its makers unless told not to. Whoever wants that sets the variable.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--ray: Ray is not installed: pip install 'runreport[cluster]'") from error
    quiet: dict[str, Any] = {"include_dashboard": False} if not address and "RAY_ADDRESS" not in os.environ else {}
    try:
        ray.init(address=address or None, logging_level=logging.ERROR, ignore_reinit_error=True, **quiet)
    except Exception as error:  # Ray raises what its parts trip over, from ConnectionError to RuntimeError
        raise ConfigError(f"--ray: no cluster at {address or 'this machine'}: {first_line(error)}") from error


def gpus_there() -> float:
    """GPUs of the cluster that was joined."""
    import ray

    return float(ray.cluster_resources().get("GPU", 0.0))


def fits_no_node(share: Share) -> bool:
    """Whether no node is large enough now. Ray would wait for one, which a cluster that grows may get."""
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return not any(node.get("CPU", 0.0) >= share.cpus and node.get("GPU", 0.0) >= share.gpus for node in alive)


def each_on_ray(
    work: Callable[[Task], Any], tasks: Iterable[Task], *, share: Share
) -> Generator[Result[Task], None, None]:
    """Yields a result as each task ends, as ``each_in_a_process`` does; Ray runs as many at a time as there is room for.

    Each task has a fresh process. It runs in this program's working directory, which must be there on every node: ``work``
    reads and writes shared files. It is begun again where its node or process is gone, so ``work`` must bear being cut off
    at any point. When the iteration is left early, running tasks are stopped.
    """
    import ray
    from ray.exceptions import RayError

    remote = ray.remote(num_cpus=share.cpus, num_gpus=share.gpus, max_calls=1, max_retries=RETRIES)(_on_a_node)
    folder = str(Path.cwd())
    running = {remote.remote(work, task, folder): task for task in tasks}
    try:
        while running:
            (ready,), _ = ray.wait(list(running), num_returns=1)
            try:
                value, failure = ray.get(ready)
            except RayError as error:  # the process was killed, or nodes were lost, more often than Ray tries again
                value, failure = None, f"{type(error).__name__}: {first_line(error)}"
            yield Result(task=running.pop(ready), value=value, failure=failure)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)
        ray.shutdown()


def _on_a_node(work: Callable[[Any], Any], task: Any, folder: str) -> tuple[Any, str | None]:
    """In the process that Ray started for the task."""
    try:
        os.chdir(folder)
    except OSError as error:
        return (
            None,
            f"{folder}: {error.strerror} on node {platform.node()}; a sweep on Ray needs a shared file system",
        )
    return outcome(work, task)
