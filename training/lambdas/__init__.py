"""The course of the penalty's weight λ over a run. A new course is one line in ``COURSES``; a new idea, one file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from training.config import Config
from training.lambdas.courses import cosine, linear, source_decay
from training.lambdas.gradient_balanced import GradientBalanced
from training.lambdas.timed import TimedLambda

__all__ = ["COURSES", "LambdaSchedule", "make_lambda_schedule"]


class LambdaSchedule(Protocol):
    """What the loop asks of a schedule of λ. λ is fixed within an epoch."""

    def weight(self) -> float:
        """λ of the epoch that is next or under way; the history logs it as ``variance_lambda``."""

    def after_epoch(self, *, base_norm: float | None, penalty_norm: float | None) -> None:
        """One epoch ended.

        The norms are the epoch's mean gradient norms at the output weight, of the base loss and of the penalty with λ;
        None where not measured.
        """

    def state(self) -> dict[str, float]:
        """What a resumed run needs to go on with the same λ."""

    def restore(self, state: dict[str, float]) -> None:
        """Goes on from a saved state."""


def _source_decay(config: Config) -> TimedLambda:
    excess, decay = config.lambda_excess, config.lambda_decay
    return TimedLambda(config.penalty_weight, lambda epoch: source_decay(epoch, excess=excess, decay=decay))


def _sloped(config: Config, course: Callable[..., float]) -> TimedLambda:
    start, end, epochs = config.lambda_start, config.lambda_end, config.lambda_epochs or config.max_epochs
    return TimedLambda(config.penalty_weight, lambda epoch: course(epoch, start=start, end=end, epochs=epochs))


COURSES: dict[str, Callable[[Config], LambdaSchedule]] = {
    "constant": lambda config: TimedLambda(config.penalty_weight, lambda epoch: 1.0),  # noqa: ARG005
    "source_decay": _source_decay,
    "linear": lambda config: _sloped(config, linear),
    "cosine": lambda config: _sloped(config, cosine),
    "gradient_balanced": lambda config: GradientBalanced(
        start=config.penalty_weight, share=config.lambda_share, largest=config.lambda_max
    ),
}


def make_lambda_schedule(config: Config) -> LambdaSchedule:
    """The course of λ that ``config.lambda_schedule`` names; 0 throughout where the run has no penalty."""
    return COURSES[config.lambda_schedule if config.penalty_weight > 0 else "constant"](config)
