"""The loop: train, read the report, apply its first advice, train again; keep what was not refuted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runreport.artifacts import history_path
from training.config import Config
from training.config_file import parse_config
from training.errors import ConfigError
from training.improve.judge import Advice, could_be_judged, next_advice, settled_by_pairs
from training.improve.reading import Reading, difference, read_run, tier_names
from training.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One training run of the story.

    made_from
        Number of the round whose config this one changes; None for the first.
    advice
        What was done; None for the first round.
    refuted
        What was seen of that which the advice had named as refuting it.
    judged
        Whether the advice's own tests could be made at all.
    difference
        Paired difference in R² to ``made_from`` on the same test samples, as ``runreport compare`` gives it.
    """

    number: int
    config: Config
    reading: Reading
    history: Path
    made_from: int | None = None
    advice: Advice | None = None
    refuted: tuple[str, ...] = ()
    judged: bool = True
    difference: Mapping[str, Any] | None = None

    @property
    def kept(self) -> bool:
        """Whether the change stayed."""
        return not self.refuted


@dataclass(slots=True)
class Story:
    """All rounds, and why there is no further one."""

    rounds: list[Round] = field(default_factory=list)
    ended_because: str = ""
    until: str = ""

    @property
    def last_kept(self) -> Round:
        """The round that the next change would be made from."""
        return [r for r in self.rounds if r.kept][-1]


NO_TIER = "none"
"""``until`` with this name: on for as long as the reports advise to change a setting, whatever the criteria say."""

Train = Callable[[Config, Places], object]


def improve(
    config: Config,
    *,
    rounds: int,
    out: Path,
    reports: Path,
    train: Train,
    until: str | None = None,
    criteria: Path | None = None,
    tell: Callable[[str], None] = print,
) -> Story:
    """Trains ``config`` and follows the advice of its reports for at most ``rounds`` runs in all.

    Round k's artifacts are ``out/csv/<run_name>_round<k>*``, its report goes into ``reports``. A change is kept unless the
    next run shows what the advice itself had named as refuting it; then the config goes back to where it was and that
    change is not tried from there again. A paired difference in R² beyond its noise overrules a figure within its own (see
    ``judge.settled_by_pairs``). Ends when tier ``until`` (the highest, where none is named) of the criteria is met, when no
    advice changes a setting, or with the rounds.

    Raises
    ------
    ConfigError
        Criteria that runreport refuses or a tier that they do not have, before anything is trained; a run that cannot be
        carried out or read.
    """
    story = Story()
    base = config.run_name
    tiers = tier_names(criteria)
    story.until = until or tiers[-1]
    if story.until not in (*tiers, NO_TIER):
        raise ConfigError(f"--until: found {story.until!r}; expected one of {', '.join((*tiers, NO_TIER))}")
    first = _round(config, 1, base, out, reports, train, criteria, tell)
    story.rounds.append(first)
    undone: list[Advice] = []
    while True:
        kept = story.last_kept
        if kept.reading.tier(story.until) == "met":
            story.ended_because = f"round {kept.number} meets every criterion of the {story.until} tier"
            return story
        advice = next_advice(kept.reading, undone)
        if advice is None:
            story.ended_because = _nothing_left(kept, undone)
            return story
        if len(story.rounds) >= rounds:
            story.ended_because = f"{rounds} rounds were asked for"
            return story
        number = len(story.rounds) + 1
        tell(f"round {number}: {advice['title']} ({', '.join(f'{k}: {v}' for k, v in advice['config_patch'].items())})")
        changed = _changed(kept.config, advice)
        made = _round(changed, number, base, out, reports, train, criteria, tell)
        pairs = difference(kept.history, made.history)
        seen = settled_by_pairs(advice, made.reading, pairs)
        made = dataclasses.replace(
            made, made_from=kept.number, advice=advice, refuted=tuple(seen),
            judged=could_be_judged(advice, made.reading), difference=pairs,
        )  # fmt: skip
        story.rounds.append(made)
        undone = [*undone, advice] if seen else []
        if seen:
            tell(f"round {number}: undone: {'; '.join(seen)}")


def round_name(base: str, number: int) -> str:
    """The name of a round's run."""
    return f"{base}_round{number}"


def _round(
    config: Config,
    number: int,
    base: str,
    out: Path,
    reports: Path,
    train: Train,
    criteria: Path | None,
    tell: Callable[[str], None],
) -> Round:
    """Trains and reads one round."""
    named = dataclasses.replace(config, run_name=round_name(base, number))
    places = Places.of(named.run_name, out=out)
    train(named, places)
    history = history_path(places.folder, named.run_name)
    reading = read_run(history, reports=reports, criteria=criteria)
    r2 = reading.value("r2")
    tell(f"round {number}: R² {'undefined' if r2 is None else f'{r2:.3f}'}")
    return Round(number=number, config=named, reading=reading, history=history)


def _changed(config: Config, advice: Advice) -> Config:
    """The config with the advice's settings.

    Raises
    ------
    ConfigError
        Where a setting of the patch is none of this program's.
    """
    return parse_config(config.to_dict() | dict(advice["config_patch"]), where=f"advice {advice['id']}")


def _nothing_left(kept: Round, undone: list[Advice]) -> str:
    first = kept.reading.advice[0]["title"] if kept.reading.advice else "none"
    if undone:
        return f"what the report of round {kept.number} advises to change was tried and undone"
    return f"no advice in the report of round {kept.number} changes a setting; its first is: {first}"
