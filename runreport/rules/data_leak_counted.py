"""Rows that the trainer itself counted in two splits."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runreport.context import Context, Limits
from runreport.findings import Finding, Severity
from runreport.wording import number, percent, plural

PAIRS = (("train_test", "test"), ("train_val", "validation"))


def counted(context: Context) -> Mapping[str, int]:
    """Pair of splits -> rows with equal inputs, out of ``leak_check`` of the metrics file; empty where there is none."""
    check = context.run.summary.get("leak_check")
    equal = check.get("equal_inputs") if isinstance(check, Mapping) else None
    if not isinstance(equal, Mapping):
        return {}
    return {k: v for k, v in equal.items() if isinstance(v, int) and not isinstance(v, bool) and v >= 0}


def _equal_anyway(context: Context, found: Mapping[str, int]) -> float | None:
    """Test rows that coarse inputs make equal to one of the training rows: as many, a row, as to one of the validation rows.

    Validation and test rows are drawn apart as training and test rows are; who copies rows into the training split does not
    make those two equal. None where there are none, or the sizes are not known.
    """
    both, train = found.get("val_test"), context.split_statistic("train", "n")
    rows = context.split_statistic("val", "n")
    return None if not both or train is None or not rows else both * train / rows


def shared_rows(context: Context, limits: Limits) -> Finding | None:
    """Inputs of evaluation rows that stand in the training split as well: critical from a share of the test rows on."""
    found = counted(context)
    pair = next(((key, split) for key, split in PAIRS if found.get(key, 0) > 0), None)
    if pair is None:
        return None
    key, split = pair
    rows = found[key]
    natural = _equal_anyway(context, found)
    if natural is not None and rows <= natural + limits["standard_errors"] * math.sqrt(natural + 1):
        message = (
            f"The run's own leak check counted {plural(rows, f'{split} row')} whose inputs stand in the training split as well; "
            f"validation and test rows are equal as often (of as many rows as train {number(natural, 2)} would be): coarse "
            "inputs, not shared rows."
        )
        return Finding(
            rule="data.leak",
            severity=Severity.INFO,
            message=message,
            evidence={"shared_rows": rows, "equal_by_chance": natural},
            split=split,
            acts_on="r",
        )
    final = context.final
    n = final.n if split == "test" and final is not None and final.split == "test" else None
    share = None if not n else rows / n
    severe = share is not None and share >= limits["shared_share"]
    of = (
        ""
        if share is None or n is None
        else f" of {n} ({percent(share)}; threshold {percent(limits['shared_share'], 0)})"
    )
    message = (
        f"The run's own leak check counted {plural(rows, f'{split} row')}{of} whose inputs stand in the training split as "
        "well: on those the score is not held out."
    )
    return Finding(
        rule="data.leak",
        severity=Severity.CRITICAL if severe else Severity.WARNING,
        message=message,
        evidence={"shared_rows": rows, "share": share},
        split=split,
        acts_on="r",
    )
