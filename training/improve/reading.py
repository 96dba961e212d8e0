"""What ``runreport`` says of a run, asked for as any other program would: by its command and its JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A run's part of the JSON document (see ``docs/json.md``)."""

    run: Mapping[str, Any]

    def value(self, metric: str) -> float | None:
        """A final figure; None where it is undefined or there is none."""
        value = (self.run.get("final") or {}).get(metric)
        return None if value is None else float(value)

    def interval(self, metric: str) -> tuple[float, float] | None:
        """Its 95 % interval."""
        bounds = ((self.run.get("final") or {}).get("intervals") or {}).get(metric)
        return None if bounds is None else (float(bounds[0]), float(bounds[1]))

    def finding(self, rule: str) -> Mapping[str, Any] | None:
        """What a rule found at warning or above."""
        return next((f for f in self.run["findings"] if f["rule"] == rule and f["severity"] != "info"), None)

    @property
    def advice(self) -> Sequence[Mapping[str, Any]]:
        """The advice, first things first."""
        return list(self.run["advice"])

    def tier(self, name: str) -> str | None:
        """Whether a tier of the criteria is met: ``met``, ``not met`` or ``cannot tell``; None where there is none."""
        verdicts = [c["verdict"] for c in self.run["criteria"] if c["tier"] == name]
        if not verdicts:
            return None
        if all(v == "met" for v in verdicts):
            return "met"
        return "not met" if "not met" in verdicts else "cannot tell"

    @property
    def tiers(self) -> list[str]:
        """Names of the tiers, lowest first."""
        return list(dict.fromkeys(str(c["tier"]) for c in self.run["criteria"]))


def read_run(history: Path, *, reports: Path | None = None, criteria: Path | None = None) -> Reading:
    """Analyses the run whose history is ``history``; writes its report into ``reports`` too, where one is given.

    Raises
    ------
    ConfigError
        What runreport could not do, in its own words.
    """
    more = [] if criteria is None else ["--criteria", str(criteria)]
    if reports is not None:
        _runreport(["analyze", str(history), "--out", str(reports), "--quiet", *more])
    document = json.loads(_runreport(["analyze", str(history), "--format", "json", *more]))
    return Reading(run=document["runs"][0])


def tier_names(criteria: Path | None = None) -> list[str]:
    """The tiers that runs will be judged by, lowest first; what is wrong with the criteria file is found here.

    A history of one made-up epoch is judged by them: it is the same for every log which tiers there are.

    Raises
    ------
    ConfigError
        A file that runreport refuses, in its own words.
    """
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "probe.csv"
        history.write_text("epoch,val_loss,r2\n1,1.0,0.0\n", encoding="utf-8")
        return read_run(history, criteria=criteria).tiers


def difference(before: Path, after: Path) -> Mapping[str, Any] | None:
    """The paired difference in R² of two runs on the same test samples, ``after - before``; None where there is none.

    ``difference``, ``interval`` (95 %, or None) and ``p_holm``, as ``runreport compare`` gives them.
    """
    document = json.loads(_runreport(["compare", str(before), str(after), "--format", "json"]))
    pairs = document["comparison"]["paired"] or []
    found = next((p for p in pairs if p["metric"] == "r2"), None)
    if found is None or found["difference"] is None:
        return None
    if found["second"] != after.stem:  # told the other way round
        bounds = found["interval"]
        turned = None if bounds is None else [-bounds[1], -bounds[0]]
        return {**found, "difference": -found["difference"], "interval": turned}
    return dict(found)


def _runreport(arguments: Sequence[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "runreport", *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip().removeprefix("runreport: ") or f"exit code {done.returncode}"
        raise ConfigError(f"runreport {arguments[0]}: {said}")
    return done.stdout
