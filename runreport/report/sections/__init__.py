"""The parts of a run's report, in reading order: one file a section, registered here."""

from __future__ import annotations

from collections.abc import Callable

from runreport.report.model import Omitted, Section
from runreport.report.sections import (
    comparison,
    criteria,
    distribution,
    early_stopping,
    files,
    next_steps,
    not_checked,
    observations,
    progression,
    results,
    root_cause,
    summary,
)
from runreport.report.sections.page import Page

Builder = Callable[[Page], Section | Omitted]

SECTIONS: tuple[Builder, ...] = (
    summary.build,
    results.build,
    distribution.build,
    progression.build,
    observations.build,
    root_cause.build,
    early_stopping.build,
    comparison.build,
    criteria.build,
    next_steps.build,
    files.build,
)
"""Built in this order; the closing "Not checked" lists what was left out, so it comes after all of them."""

CLOSING = not_checked.build
