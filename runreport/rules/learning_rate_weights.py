"""What the rate did to the weights: blown up without anything being learned, or never moved far enough to learn.

Both rest on nothing having been learned. That a model learned nothing has many causes; these are two that show in the weights.
"""

from __future__ import annotations

from runreport.context import Context
from runreport.findings import Value
from runreport.rules.learning_rate_shape import rates
from runreport.rules.loss_series import Pairs, losses
from runreport.rules.selection_begun import steps_taken
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, plural

BLOWN_UP = "weights"
"""The ground of lr.too-high by which the rate explains a loss that diverged."""
Found = tuple[str, dict[str, Value], int | float]

LEARNED_R2 = 0.1
"""From this R² on a model has learned something (that of lr.too-high's other grounds)."""
GROWTH = 4.0
"""Times its first norm: weights that learn grow by a half or two, over long runs threefold."""
SWING = 100.0
"""Highest over lowest train loss after the first epoch: no batch noise and no target does that to a mean over an epoch."""
REACH = 0.05
"""Sum of all steps' rates: Adam moves no weight much further than that, and initial weights of a layer of a hundred inputs are
0.1 in size."""
ADAM = "adam"
SOME_EPOCHS = 5
"""Epochs from which a course can be told."""


def blown_up(context: Context, pairs: Pairs, *, alone: bool) -> Found | None:
    """The norm of the weights grew severalfold, or the loss swung by orders of magnitude, and nothing was learned after it.

    ``alone``: without a penalty, whose own values swing.
    """
    learned = losses(context.history, "train_r2") or losses(context.history, "r2")
    if len(pairs) < SOME_EPOCHS or not learned:
        return None
    norms = losses(context.history, "weight_norm")
    grown = next(((e, v) for e, v in norms if v >= GROWTH * norms[0][1] > 0), None)
    if grown is not None and _nothing_after(learned, grown[0]):
        top = max(v for _, v in norms)
        message = (
            f"The norm of the weights grew from {number(norms[0][1])} at epoch {epoch_text(norms[0][0])} to {number(top)} "
            f"(threshold {number(GROWTH)} times), and from epoch {epoch_text(grown[0])} on R² never exceeded "
            f"{fixed(max(v for e, v in learned if e >= grown[0]))}, at a learning rate of {number(_rate_at(context, grown[0]))}."
        )
        return message, {"kind": BLOWN_UP, "first_norm": norms[0][1], "highest_norm": top}, grown[0]
    later = pairs[1:]
    low, high = min(later, key=lambda pair: pair[1]), max(later, key=lambda pair: pair[1])
    if alone and low[1] > 0 and high[1] >= SWING * low[1] and _nothing_after(learned, pairs[0][0]):
        message = (
            f"After the first epoch the train loss swung between {number(low[1])} (epoch {epoch_text(low[0])}) and "
            f"{number(high[1])} (epoch {epoch_text(high[0])}), and R² never exceeded {fixed(max(v for _, v in learned))}, at a "
            f"learning rate of {number(_rate_at(context, high[0]))}."
        )
        return message, {"kind": "swings", "lowest": low[1], "highest_loss": high[1]}, high[0]
    return None


def out_of_reach(context: Context) -> Found | None:
    """Under Adam, so few steps at so low rates that no weight can have moved, and nothing was learned."""
    learned = losses(context.history, "train_r2") or losses(context.history, "r2")
    optimizer, logged, steps = context.config.get("optimizer"), rates(context), steps_taken(context)
    if not isinstance(optimizer, str) or ADAM not in optimizer.lower() or steps is None or context.history is None:
        return None
    if len(logged) < SOME_EPOCHS or len(logged) < len(context.history) or not _nothing_after(learned, logged[0][0]):
        return None
    reach = sum(v for _, v in logged) * steps / len(context.history)
    if not reach < REACH:
        return None
    top = max(v for _, v in logged)
    message = (
        f"Over {plural(steps, 'optimizer step')} the learning rates, {number(top)} at most, add up to {number(reach, 2)} "
        f"(threshold {number(REACH)}): under {optimizer} no weight moves much further than that, and R² never exceeded "
        f"{fixed(max(v for _, v in learned))}."
    )
    return message, {"kind": "reach", "steps": steps, "reach": reach, "highest": top}, logged[-1][0]


def _nothing_after(learned: Pairs, epoch: int | float) -> bool:
    later = [v for e, v in learned if e >= epoch]
    return bool(later) and max(later) < LEARNED_R2


def _rate_at(context: Context, epoch: int | float) -> float:
    logged = rates(context)
    return next((v for e, v in reversed(logged) if e <= epoch), logged[0][1])
