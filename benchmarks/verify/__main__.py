"""Makes numbers of pages wrong that are known to be right, and counts what `runreport verify` says to them.

python -m benchmarks.verify            # about five minutes; writes benchmarks/results/verify.json
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.verify.pages import pages, read_raw
from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.compare.record import Comparison
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Claim, Kind, Verdict

ROUNDS = 8
SHARE_CHANGED = 0.15
"""Share of a page's numbers that are made wrong at a time: few enough that the page stays what it is."""
SEED = 7
REPORTS = {
    "example_logs/csv": [
        "reports/run1.md",
        "reports/run2.md",
        "reports/run3.md",
        "reports/run4.md",
        "reports/healthy.md",
    ],
    "example_logs/published": [f"reports/published/run{i}.md" for i in (1, 2, 3, 4)],
    "example_logs/diabetes": ["reports/diabetes/diabetes.md"],
}
CHANGES = ("last place", "a third or more", "sign", "two digits swapped")


@dataclass
class Score:
    """Counts over all rounds. ``checkable``: numbers that verify supports while they are right."""

    changed: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    still_supported: Counter[str] = field(default_factory=Counter)
    right_numbers: int = 0
    called_wrong: int = 0
    numbers: int = 0
    checkable: int = 0
    mistakes: list[str] = field(default_factory=list)

    def record(self) -> dict[str, object]:
        """As written to the results file."""
        total, found = sum(self.changed.values()), sum(self.found.values())
        return {
            "numbers_in_pages": self.numbers,
            "checkable": self.checkable,
            "checkable_share": round(self.checkable / self.numbers, 3),
            "made_wrong": total,
            "found": found,
            "found_share": round(found / total, 3),
            "found_by_change": {c: f"{self.found[c]}/{self.changed[c]}" for c in CHANGES},
            "wrong_but_supported": sum(self.still_supported.values()),
            "right_numbers_checked": self.right_numbers,
            "right_called_wrong": self.called_wrong,
            "mistakes": self.mistakes[:20],
        }


def changed_number(text: str, change: str, rng: random.Random) -> str | None:
    """The number, made wrong; None where this change does not apply to it.

    "last place" is by 3 to 7 units, so that neither rounding nor cutting off excuses it.
    """
    match = re.fullmatch(r"([-−+]?)(\d+)(?:\.(\d+))?(\s?%)?", text)
    if match is None:
        return None
    sign, whole, fraction, percent = match[1], match[2], match[3] or "", match[4] or ""
    digits, places = int(whole + fraction), len(fraction)
    if change == "last place":
        new = digits + rng.choice([-1, 1]) * rng.randint(3, 7)
    elif change == "a third or more":
        new = round(digits * rng.choice([0.5, 0.65, 1.35, 1.6, 2.0]))
    elif change == "sign":
        return (
            None
            if not digits or percent
            else f"{'' if sign in ('-', '−') else '-'}{whole}{'.' if fraction else ''}{fraction}"
        )
    else:
        order = list(whole + fraction)
        pairs = [i for i in range(len(order) - 1) if order[i] != order[i + 1]]
        if len(order) < 3 or not pairs:
            return None
        at = rng.choice(pairs)
        order[at], order[at + 1] = order[at + 1], order[at]
        new = int("".join(order))
    if new < 0 or abs(new - digits) < 3:
        return None
    padded = str(new).rjust(places + 1, "0")
    return f"{sign}{padded[: len(padded) - places]}{'.' + padded[-places:] if places else ''}{percent}"


def main() -> None:
    """All pages, all rounds."""
    results = {}
    analyses = {logs: analysed(logs) for logs in [*REPORTS]}
    compared = {logs: compare_runs(a) if len(a) > 1 else None for logs, a in analyses.items()}
    own, foreign = Score(), Score()
    for logs, paths in REPORTS.items():
        for path in paths:
            text = Path(path).read_text(encoding="utf-8")
            attack(text, Path(path).stem, analyses[logs], compared[logs], own)
    for logs in ("example_logs/csv",):
        for name, text in pages(read_raw(Path(logs))):
            attack(text, name, analyses[logs], compared[logs], foreign)
    results["own reports"], results["other styles"] = own.record(), foreign.record()
    target = Path("benchmarks/results/verify.json")
    target.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2, ensure_ascii=False))


def analysed(logs: str) -> list[Analysis]:
    """The runs of a folder."""
    return [analyze_run(run) for run in load_runs([logs]) if isinstance(run, Run)]


def attack(text: str, stem: str, analyses: Sequence[Analysis], comparison: Comparison | None, score: Score) -> None:
    """The page as it is, then with some of its numbers made wrong, several times."""
    rng = random.Random(f"{SEED} {stem}")

    def claims(of: str) -> list[Claim]:
        found = verify(of, analyses, file_stem=stem, comparison=comparison).claims
        return [c for c in found if c.kind is Kind.VALUE]

    right = claims(text)
    score.numbers += len(right)
    checkable = [c for c in right if c.verdict is Verdict.SUPPORTED]
    score.checkable += len(checkable)
    count_mistakes(stem, right, set(), score)
    lines = text.split("\n")
    for _ in range(ROUNDS):
        edited = list(lines)
        changed: dict[tuple[int, str], str] = {}
        for claim in checkable:
            line = edited[claim.line - 1]
            if rng.random() > SHARE_CHANGED or len(re.findall(number_pattern(claim.written), line)) != 1:
                continue
            change = rng.choice(CHANGES)
            new = changed_number(claim.written, change, rng)
            if new is None or new in line:
                continue
            edited[claim.line - 1] = re.sub(number_pattern(claim.written), lambda _, new=new: new, line)
            changed[(claim.line, new)] = change
        after = claims("\n".join(edited))
        verdicts = {(c.line, c.written): c.verdict for c in after}
        for key, change in changed.items():
            score.changed[change] += 1
            verdict = verdicts.get(key)
            score.found[change] += verdict is Verdict.CONTRADICTED
            score.still_supported[change] += verdict is Verdict.SUPPORTED
        count_mistakes(stem, after, set(changed), score)


def number_pattern(written: str) -> str:
    """The number where it stands alone."""
    return rf"(?<![\w.,\-−]){re.escape(written)}(?![\w.]?\d)"


def count_mistakes(stem: str, found: Sequence[Claim], changed: set[tuple[int, str]], score: Score) -> None:
    """Right numbers that are called wrong: there should be none."""
    for claim in found:
        if (claim.line, claim.written) in changed:
            continue
        score.right_numbers += 1
        if claim.verdict is Verdict.CONTRADICTED:
            score.called_wrong += 1
            score.mistakes.append(f"{stem}:{claim.line}: {claim.written}: {claim.reason} [{claim.text}]")


if __name__ == "__main__":
    main()
