"""The criteria used when no file is given: the three tiers that the analysis of 2024-10-20 set itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEFAULT: Mapping[str, Sequence[str]] = {
    "minimum": (
        "variance_ratio > 0.40",
        "variance_ratio over training > 0.35",
        "r2 > -0.04",
        "pred_spread > 0.5",
    ),
    "good": ("variance_ratio > 0.60", "r2 > 0.0", "pred_spread > 1.0"),
    "excellent": ("variance_ratio > 0.80", "r2 > 0.3"),
}
"""Tier -> conditions, as in a criteria file; in Python, so that a report without one loads no YAML reader.

Its source lists as a fourth condition of "excellent" a clear linear correlation in scatter plots: no number, so none here.
"""
