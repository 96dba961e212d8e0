"""The runs of a sweep as one stack: small runs of one shape train together, see ``training.ensemble``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import TYPE_CHECKING

from training.errors import ConfigError
from training.sweep.own_data import way_of_reading
from training.sweep.pool import Result, first_line

if TYPE_CHECKING:
    import torch

    from training.data import Dataset
    from training.ensemble import Member
    from training.sweep.train import Job


def each_together(jobs: Sequence[Job], *, say: Callable[[str], None]) -> Generator[Result[Job], None, None]:
    """Yields the results of all jobs, a stack of equal shapes after the other, as ``each_in_a_process`` yields them.

    The data of runs that read the same are loaded once. Files are written when a stack has ended: what is cut off before
    begins anew. Weights are not written, since an ensemble hands out none. ``say`` gets a line a stack.

    Raises
    ------
    ConfigError
        Before anything is trained: a run that cannot be stacked, or runs for different devices.
    """
    device, stacks = _stacks(jobs, say)
    return _results(device, stacks, say)


def _stacks(jobs: Sequence[Job], say: Callable[[str], None]) -> tuple[torch.device, list[list[tuple[Job, Member]]]]:
    import torch

    from training.data import check_leaks, load_dataset
    from training.ensemble import Member
    from training.ensemble.member import SHARED, check_members
    from training.environment import choose_device, make_reproducible

    names = {job.run.config.device for job in jobs}
    if len(names) > 1:
        raise ConfigError(
            f"--together: found runs for {' and '.join(sorted(names))}; a stack is on one device: use --device"
        )
    device = choose_device(names.pop())
    threads = max(job.run.config.threads for job in jobs)
    make_reproducible(
        seed=0, threads=threads, device=device, deterministic=all(j.run.config.deterministic for j in jobs)
    )
    loaded: dict[Hashable, Dataset] = {}
    stacks: dict[Hashable, list[tuple[Job, Member]]] = {}
    for job in jobs:
        config = job.run.config
        way = way_of_reading(config)
        if way not in loaded:
            loaded[way] = load_dataset(config, torch.device("cpu"))
            leaks = check_leaks(config, loaded[way])
            if leaks is not None and leaks.found:
                say(f"warning: {leaks.describe()}")
        member = Member(config=config, dataset=loaded[way])
        try:
            check_members([member])
        except ConfigError as error:
            raise ConfigError(f"--together: {error}, without --together") from None
        shapes = tuple(tuple(samples.frames.shape) for samples in loaded[way].splits().values())
        key = (shapes, *(getattr(config, name) for name in SHARED))
        stacks.setdefault(key, []).append((job, member))
    return device, list(stacks.values())


def _results(
    device: torch.device, stacks: list[list[tuple[Job, Member]]], say: Callable[[str], None]
) -> Generator[Result[Job], None, None]:
    from training.ensemble import train_together
    from training.ensemble.artifacts import write_artifacts

    for stack in stacks:
        say(f"a stack of {len(stack)}: {stack[0][0].run.name} to {stack[-1][0].run.name}")
        try:
            trained = train_together([member for _, member in stack], device=device)
        except Exception as error:  # whatever it is, it is this stack's and not the others'
            for job, _ in stack:
                yield Result(task=job, failure=f"{type(error).__name__}: {first_line(error)}")
            continue
        for (job, _), one in zip(stack, trained, strict=True):
            try:
                job.places.prepare(job.run.name, force=True)  # what a run alone left unfinished goes
                value = write_artifacts(one, job.places, epoch_predictions=job.epoch_predictions)
            except (ConfigError, OSError) as error:
                yield Result(task=job, failure=str(error))
            else:
                yield Result(task=job, value=value)
