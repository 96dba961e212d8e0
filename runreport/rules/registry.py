"""Every rule there is: the built-in ones in one tuple, then other people's by entry point."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points

from runreport.errors import InputError
from runreport.rules import (
    bias,
    collapse,
    data,
    fit,
    gradient,
    learning_rate,
    log_integrity,
    loss,
    penalty,
    scale,
    segment,
    selection,
    signal,
    spread,
    value_range,
)
from runreport.rules.base import Rule

ENTRY_POINT_GROUP = "runreport.rules"
"""A distribution adds rules by an entry point of this group that names a ``Rule`` or a tuple of them."""

BUILT_IN: tuple[Rule, ...] = (
    *log_integrity.RULES,
    *loss.RULES,
    *learning_rate.RULES,
    *gradient.RULES,
    *scale.RULES,
    *bias.RULES,
    *collapse.RULES,
    *spread.RULES,
    *signal.RULES,
    *value_range.RULES,
    *segment.RULES,
    *penalty.RULES,
    *fit.RULES,
    *selection.RULES,
    *data.RULES,
)


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Built-in rules, then those of other installed distributions.

    Raises
    ------
    InputError
        An entry point that does not load, is not a rule, or uses an id that is taken.
    """
    rules = list(BUILT_IN)
    taken = {rule.id for rule in rules}
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name):
        try:
            loaded = point.load()
        except Exception as error:  # other people's code may raise anything at import
            raise InputError(point.value, found=f"the rule {point.name!r} does not load ({error})") from error
        for rule in loaded if isinstance(loaded, tuple | list) else (loaded,):
            if not isinstance(rule, Rule):
                raise InputError(point.value, found=f"{type(rule).__name__}", expected="a runreport.rules.base.Rule")
            if rule.id in taken:
                raise InputError(point.value, found=f"a second rule {rule.id!r}", remedy="give it an id of its own")
            taken.add(rule.id)
            rules.append(rule)
    return tuple(rules)
