"""Numbers in a sentence that cites a finding, by its rule's id: they may be any that the rule computed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from runreport.findings import Finding
from runreport.verify.facts import Facts
from runreport.verify.numbers import agrees
from runreport.verify.page import Sentence
from runreport.verify.reading import Use

RULE = re.compile(r"\b[a-z]+\.[a-z][a-z-]+\b")


class Evidence:
    """The figures behind every finding of these runs, by run and rule."""

    def __init__(self, facts: Facts) -> None:
        self.figures: dict[tuple[str, str], list[tuple[str, float]]] = {}
        for name, analysis in facts.analyses.items():
            for finding in analysis.findings:
                self.figures.setdefault((name, finding.rule), []).extend(_figures(finding))

    def of(self, use: Use, sentence: Sentence) -> str | None:
        """Which figure of a cited finding the number is; None where it is none, or no finding is cited."""
        cited = dict.fromkeys(RULE.findall(sentence.whole or sentence.text))
        for rule in cited:
            for run in use.about.runs:
                for name, value in self.figures.get((run, rule), ()):
                    if agrees(use.number, value, share=use.number.percent):
                        return f"{name} of the finding {rule}, computed from the logs of {run}"
        return None


def _figures(finding: Finding) -> Iterator[tuple[str, float]]:
    def walk(name: str, value: object) -> Iterator[tuple[str, float]]:
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, int | float):
            if math.isfinite(value):
                yield name, float(value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                yield from walk(f"{name}.{key}", inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(name, inner)

    for key, value in finding.evidence.items():
        yield from walk(key, value)
    for key in ("epoch", "recoverable", "p_value", "q_value"):
        yield from walk(key, getattr(finding, key))
