"""One printed line → the epoch it is of and the figures on it. Linear in the length of the line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from runreport.ingest.boosting import set_and_metric
from runreport.ingest.cells import TENSOR, WRAPPED
from runreport.ingest.columns import KNOWN, plain
from runreport.ingest.documents import CONTAINERS, MOST_NAME, SPLITS, split_of

MOST_LINE = 5_000
"""Characters of a line that is read: an epoch's figures take a few hundred, and what is longer is data."""
# Possessive quantifiers: a number is taken whole or not at all, so nothing is tried twice.
NUMBER = re.compile(
    r"(?<![\w.^@])[-+]?(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?\d++)?+(?!\w|\.\d)"
    r"|(?<![\w.^@])[-+]?(?:nan|infinity|inf)(?!\w)"
    r"|(?<![\w.^@])[-+]?(?:\d++\.?\d*+)(?=s(?:ec(?:onds)?+)?+(?!\w))",
    re.IGNORECASE,
)
"""A number that stands alone (not ``20ms``, not the 2 of R^2), NaN and infinities, or seconds (``1.2s``)."""
AFTER = re.compile(r"\s?%|[-/:]\d|,\d{3}(?!\d)")
"""What follows a number that is no figure: a percent sign, a date, a share (``3/50``), thousands (``1,234``)."""
IN_BRACKETS = re.compile(r"\s*\(\s*([-+]?[\d.]++(?:[eE][-+]?\d++)?+)\s*\)")
"""A running mean in brackets after the value of a batch (CGCNN, PyTorch's examples)."""
CUTS = re.compile(r"[|,;{}\[\]()\t]|\s-+\s|:|\s{2,}|->|=>")
"""Where one figure's name ends and another's begins."""
AXES: Mapping[str, str] = {
    "epoch": "epoch", "epochs": "epoch", "ep": "epoch", "step": "step", "iter": "iter", "it": "iter", "iteration": "iter",
    "global_step": "step", "round": "iter",
}  # fmt: skip
"""Words whose number is a place in the training -> the column it becomes."""
AXIS_WORD = re.compile(r"\b(?:ep(?:och)?s?|step|iter(?:ation)?|round)\b|epoch", re.IGNORECASE)
ROUND = re.compile(r"\s{0,4}\[(\d{1,9})\]\s{1,8}(?=[^\s\d\[])")
"""XGBoost and LightGBM: ``[10]`` before the figures of a round."""
CATBOOST = re.compile(r"(\d{1,9}):\s{1,8}learn:")
OBJECTIVE = re.compile(r"iter\s{1,8}(\d{1,9}) value ([-+]?[\d.]{1,30}(?:e[-+]?\d{1,3})?)\s{0,4}$", re.IGNORECASE)
"""``iter  10 value 12.3``: R's nnet, and its optim, print the objective so."""
QUOTED = re.compile(r"(['\"])(\w[\w /.:-]{0,80})\1\s?[=:]\s{0,4}$")
"""``Evaluation metric 'epoch_loss'=5.2`` (GluonTS): the name is what stands in the quotation marks."""
OF_A_TARGET = re.compile(
    r"\W{0,20}(?:target|task|output|property|variable|head|channel)s?\s?[:=#-]?\s?[\[({'\"]{0,2}(\w[\w./-]{0,60})",
    re.IGNORECASE,
)
"""``Target: mass_g - Train R^2: 0.5 - Val R^2: 0.4``: a line of one target of several."""
OF_A_NAME = re.compile(
    r"[^\w\n]{0,20}([^\W\d][\w./-]{0,40}) (?:train|training|val|valid|validation|test)\w{0,4} [a-z²^2]{2,8}\b",
    re.IGNORECASE,
)
"""``knee Train MSE: 0.5 | Val MSE: 0.4``: the same where only the name stands before the split."""
ORDINAL = re.compile(r"\b(\d{1,9})(?:st|nd|rd|th) (epoch|step|iteration|round)\b", re.IGNORECASE)
GLUED = re.compile(r"(?<![\w./-])(epoch|iter|step)[_-]?(\d{1,9})(?=[\s:,|\])])", re.IGNORECASE)
"""``1st epoch`` and ``Epoch30:``."""
MMENGINE = re.compile(r"\bEpoch\((train|val|test)\)\s{1,4}\[(\d{1,9})\]")
"""``Epoch(val) [3][10/10]    MAE: 0.5``."""
ELSEWHERE = re.compile(
    r"\b[ée]po(?:cas?|ques?|che)\b|эпоха|エポック|에포크|에폭|第\s?(?=\d{1,9}\s?[轮輪])", re.IGNORECASE
)
"""What an epoch is called in Spanish, Portuguese, French, German, Russian, Japanese, Korean and Chinese."""
STAGE = re.compile(
    r"(?:[^\n]{0,60}[^\w\n])?step (\d{1,9})(?: ?(?:/|of) ?\d{1,9})?[\])]?(?:\s?[:.)-]+\s?|\s)[^\W\d]", re.IGNORECASE
)
MOST_STAGES = 30
"""``Step 4: Evaluation`` numbers the stages of a program up to here: no more are given titles."""
UNIT = re.compile(r"\s?(\([^()=:,|;]{1,30}\))$")
"""What stands in brackets behind a name: ``RMSE (meters)``, ``R2 (%)``."""
COUNT_OF = re.compile(
    r"\s{0,8}[\[(]?\s{0,6}(\d{1,9})\s?/\s?\d{1,9}[\])]?[\s:|,-]|\s{0,4}\[(\d{1,9}),\s{1,8}\d{1,9}\]\s|\s{0,4}\[(\d{1,9})\]\s"
)
"""``[3/50] train loss: 0.1``, ``3/50 ...``, ``[3,  2000] loss: 0.1`` (epoch and batch), ``[300] loss=0.1``: a count of something
that the line does not name."""
OF_KIND = re.compile(r"\s?\((?:mse|mae|rmse|l1|l2|huber|smooth ?l1|mean|avg|average)\)$", re.IGNORECASE)
"""What kind of loss it is, in brackets: ``Train Loss (mse): 0.1``."""
ARROW = re.compile(r"(?:->|=>|→)$")
BAR = re.compile(r"\[[=>.#]|%\||\bETA\b|s/step|it/s|s/it")
CLOCK = re.compile(r"\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,6})?\]\s?")
BATCHES = re.compile(r"\[\s{0,9}\d{1,12}/\d{1,12}\s{0,9}\]")
"""``[10/50]`` counts batches, unless the epochs are counted so: ``Epoch [3/50]``."""
BAR_AT_START = re.compile(r"\s{0,8}(\d{1,9})/(\d{1,9}|Unknown)\s")
BAR_SHARE = re.compile(r"(\d{1,3})%\|")
PAST = re.compile(
    r"\b(?:best|early|restor|saving|saved|loading|loaded|resum|improved|stopp|warn|reducing)", re.IGNORECASE
)
"""A line that begins so speaks of another epoch than the one that is running."""
SUMMED_UP = re.compile(
    r"train_runtime|\bresults for (?!epoch)|\bensemble\b|\bmodel \d+ (?:best|test)\b|\bfinal\b|\boverall\b|最终|最終",
    re.IGNORECASE,
)
"""A line that sums up a whole training: its figures are of no epoch."""
SPLIT_METRICS = frozenset(("train_loss", "r2", "mae", "rmse", "mse", "pearson_r", "variance_ratio"))
"""Known names that a bare word may mean for any split: a section (``Val: loss 0.2``) gives them its own."""
SHORT: Mapping[str, str] = {"learn": "train_loss", "test": "val_loss"}
"""CatBoost's two figures of a line."""


FILLERS = frozenset(
    [
        "average",
        "avg",
        "mean",
        "running",
        "current",
        "epoch",
        "batch",
        "with",
        "is",
        "at",
        "of",
        "end",
        "the",
        "and",
        "done",
        "finished",
        "debug",
        "info",
        "warning",
    ]
)
"""Words before a figure's name that do not make it another figure; ``epoch loss`` is the loss."""
NO_TARGET = re.compile(
    r"(?:debug|info|warning|error|epochs?|step|iter\w*|avg|average|mean|median|total|running|current|best|final|new|the|end|after|and|"
    r"per|on|for|train\w*|val\w*|test\w*|eval\w*|model|loss|min|max|last|overall|summary|results?|metrics?)",
    re.IGNORECASE,
)
"""Words before a split that are the name of no target."""
FEWEST_LINES = 2
"""Lines of a name before it is taken for a target: each epoch has one, and one epoch is no history."""
MOST_NUMBERS = 200
"""Numbers of a line that are looked at: a line with more is a row of data."""


class Line(NamedTuple):
    """What one line says.

    axis, at
        The column that numbers the rows and its value here; None where the line has neither.
    figures
        Column -> value.
    partial
        Whether it is a progress bar that has not reached its end.
    averaged
        Whether figures are running means over the batches so far.
    boosting
        Whether the names are sets and metrics of a boosting library.
    """

    axis: str | None
    at: float | None
    figures: dict[str, float]
    partial: bool = False
    averaged: bool = False
    boosting: bool = False


def counted_line(line: str) -> Line | None:
    """A line that begins with a count, as one of the epoch of that number; None for a progress bar, or without a figure.

    For texts in which no line names an epoch, and which count nothing else.

    >>> counted_line("[3/50] Train Loss: 0.1, Val Loss: 0.2").at
    3.0
    """
    match = COUNT_OF.match(line) if len(line) <= MOST_LINE else None
    if match is None or BAR.search(line):
        return None
    found = _pairs(line[match.end() :], boosting=False)
    if not any(plain(name) in KNOWN or split_of(plain(name).split("_")[0]) for name in found):
        return None
    found = {name: value for name, value in found.items() if name not in ("epoch", "step", "iter")}
    at = next(number for number in match.groups() if number)
    return Line("iter" if match[3] else "epoch", float(at), found) if found else None


def parse_line(line: str) -> Line | None:
    """The line, or None where there is nothing of a training on it.

    >>> parse_line("Epoch 3/50 | Train Loss: 0.1 | Val Loss: 0.2 | R²: 0.3").figures
    {'Train Loss': 0.1, 'Val Loss': 0.2, 'R²': 0.3}
    >>> parse_line("step 250: train loss 2.5, val loss 2.6").at
    250.0
    """
    if len(line) > MOST_LINE or not any(c.isdigit() for c in line) or SUMMED_UP.search(line):
        return None
    if "tensor(" in line or "float" in line:
        line = WRAPPED.sub(r"\1", TENSOR.sub(r"\1", line))
    clock = CLOCK.match(line)
    boosted = ROUND.match(line, clock.end() if clock else 0)
    if boosted:
        found = _pairs(line[boosted.end() :], boosting=True)
        return Line("iter", float(boosted[1]), found, boosting=True) if found else None
    objective = OBJECTIVE.match(line)
    if objective and (loss := _float(objective[2])) is not None:
        return Line("iter", float(objective[1]), {"loss": loss})
    catboost = CATBOOST.match(line.lstrip())
    if catboost:
        found = _pairs(line[line.index(":") + 1 :], boosting=False)
        return Line("iter", float(catboost[1]), {SHORT.get(plain(n), n): v for n, v in found.items()})
    averaged = any(
        not line[max(m.start() - 20, 0) : m.start()].rstrip(" :#").lower().endswith(("epoch", "ep"))
        for m in BATCHES.finditer(line)
    )
    pairs = _pairs(line, averaged=averaged)
    axis = next((a for a in ("epoch", "step", "iter") if a in pairs), None)
    if axis is None and (usual := _usual_words(line)) != line:
        return parse_line(usual)
    past = PAST.search(line) if axis is not None else None
    if past and (len(pairs) == 1 or past.start() < _axis_at(line)):
        return None
    if axis == "step" and len(pairs) == 1 and _is_stage(line):
        return None
    bar, share = BAR_AT_START.match(line), BAR_SHARE.search(line)
    partial = (bar is not None and bar[1] != bar[2]) or (share is not None and share[1] != "100")
    if axis is None and (not pairs or _speaks_of_another(line)):
        return None
    at = pairs.pop(axis) if axis is not None else None
    return Line(axis, at, pairs, partial, averaged and bool(pairs))


def _usual_words(line: str) -> str:
    """The line with ``epoch 1`` for ``1st epoch``, ``Epoch1`` and ``Época 1``; none of these is found in what comes out."""
    line = MMENGINE.sub(r"Epoch [\2] \1: | ", line)
    return GLUED.sub(r"\1 \2", ORDINAL.sub(r"\2 \1", ELSEWHERE.sub("Epoch ", line)))


def target_of(line: str, names: Container[str]) -> str | None:
    """The one of several targets that a line is of, None for a line of all; ``names`` are those that may stand alone.

    >>> target_of("Target: mass - Val R^2: 0.4", ()), target_of("knee Train MSE: 0.5 | Val MSE: 0.4", {"knee"})
    ('mass', 'knee')
    """
    found = OF_A_TARGET.match(line)
    if found is not None and plain(found[1]).split("_")[-1] not in (*SPLITS, *KNOWN):
        return found[1]
    found = OF_A_NAME.match(line)
    return found[1] if found is not None and found[1] in names else None


def names_of_targets(lines: Iterable[str]) -> frozenset[str]:
    """The words that stand before a split at the beginning of lines without an epoch, where they are several."""
    counts = Counter(
        found[1] for line in lines
        if (found := OF_A_NAME.match(line)) is not None and not NO_TARGET.fullmatch(found[1])
    )  # fmt: skip
    names = frozenset(name for name, count in counts.items() if count >= FEWEST_LINES)
    return names if len(names) > 1 else frozenset()


def _is_stage(line: str) -> bool:
    """Whether a line is the title of a stage of a program, ``STEP 3: TRAINING``, and no step of an optimizer."""
    found = STAGE.match(line)
    return found is not None and int(found[1]) <= MOST_STAGES


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:  # dots alone
        return None


def _speaks_of_another(line: str) -> bool:
    """Whether a line without an epoch begins with a word of the best or a saved one: ``Best model saved! (RMSE: 0.1)``."""
    past, figure = PAST.search(line), NUMBER.search(line)
    return past is not None and figure is not None and past.start() < figure.start()


def _axis_at(line: str) -> int:
    """Where the word for the epoch or step stands."""
    found = AXIS_WORD.search(line)
    return found.start() if found else len(line)


def _pairs(line: str, *, boosting: bool = False, averaged: bool = False) -> dict[str, float]:
    """Name -> value of every pair on a line; a later value of one name counts."""
    found: dict[str, float] = {}
    section = ""
    start = 0
    last_split: str | None = None
    for match in islice(NUMBER.finditer(line), MOST_NUMBERS):
        before = line[start : match.start()]
        name, section = _name(before, section, boosting=boosting)
        start = match.end()
        if name is None:
            continue
        axis = AXES.get(plain(name))
        if axis is not None:
            if axis not in found:
                found[axis] = float(match[0])
            continue
        if AFTER.match(line, match.end()):
            continue
        inside = IN_BRACKETS.match(line, match.end()) if averaged else None
        own = split_of(plain(name).split("_")[0])
        if own is not None:
            last_split = own
        elif name in found and last_split is not None and not boosting:
            # `val mae: 1, r2: 2, test mae: 3, r2: 4`: a bare name that comes again is of the split named last.
            name = of_split(last_split, name)
        try:
            found[name] = float(inside[1] if inside else match[0])
        except ValueError:  # dots alone in the brackets
            found[name] = float(match[0])
    return found


def _name(before: str, section: str, *, boosting: bool) -> tuple[str | None, str]:
    """The name that ends right before a number, and the split that the words before it announce."""
    text = before[-2 * MOST_NAME :].replace("*", " ").rstrip(" \t'\"([")
    said = text.endswith((":", "=", "->", "=>", "→"))
    if ("'" in text or '"' in text) and (quoted := QUOTED.search(text)):
        text = f"{quoted[2]}="
    text = OF_KIND.sub("", ARROW.sub("", text).rstrip(" \t:='\""))
    unit = UNIT.search(text) if said and not boosting and text.endswith(")") else None
    text = text[: unit.start()] if unit else text
    pieces = [p.strip(" \t'\"=") for p in CUTS.split(text)]
    for piece in pieces[:-1]:
        words = piece.split()
        if words and (split := split_of(words[0])) and len(words) <= 2:
            section = split
        elif len(words) > 1 and plain(words[-1]) in CONTAINERS and (named := [s for w in words if (s := split_of(w))]):
            section = named[0]  # `Median validation metrics:`
    words = pieces[-1].split()
    if boosting:
        whole = " ".join(words)
        return (whole if said and set_and_metric(whole) else None), section
    if len(words) > 1 and words[-1].startswith("<") and words[-1].endswith(">"):
        # Amazon's algorithms: `train loss <loss>=0.1`, `validation mse_objective <loss>=0.1`.
        inner = words.pop()[1:-1]
        words = words if _known(words) else [*(w for w in words if split_of(w)), inner]
    name = _known(words)
    if name is None and not said and len(words) > 1 and plain(words[-1]) in ("is", "was", "reached"):
        name = _known(words[:-1])  # `Learning rate is 0.001`; Lightning's `'val_loss' reached 0.5`
        name = name.strip("'\"") if name else None
    if name is None and len(words) == 1 and plain(words[0]) in SPLITS:
        return words[0], section  # `train 0.1 | val 0.2`: of what, nothing says
    word = 0 < len(words) <= 4 and any(c.isalpha() for c in words[-1])
    if name is None and said and word and not words[0].lower().startswith(("saving", "loading")):
        name = " ".join(words).split("=")[-1].strip()
        name = name or None
    if name is None or plain(name) in AXES:
        return name, section
    name = of_split(section, name) if section else name
    return (f"{name} {unit[1]}" if unit else name)[:MOST_NAME], section


def of_split(split: str, name: str) -> str:
    """A figure's name with its split before it, where it is one that every split has and that names none itself.

    >>> of_split("val", "Avg loss"), of_split("val", "train loss"), of_split("val", "lr")
    ('val loss', 'train loss', 'lr')
    """
    words = name.split()
    if any(split_of(part) for part in plain(name).split("_")) or KNOWN.get(plain(name)) not in SPLIT_METRICS:
        return name
    while len(words) > 1 and plain(words[0]) in FILLERS:
        words = words[1:]
    return f"{split} {' '.join(words)}"


def _known(words: list[str]) -> str | None:
    """The longest known name that these words end in; a number needs no colon after one.

    Words before it that qualify it make it another name (``best val loss``, ``KL loss``); a split before it is part of it.
    """
    for count in (4, 3, 2, 1):
        if len(words) < count:
            continue
        name = " ".join(words[-count:]).split("=")[-1]
        known = plain(name)
        head, _, rest = known.partition("_")
        if rest in AXES and split_of(head) is not None:
            return words[-1]  # `Train Epoch: 3`
        if known in KNOWN or known in AXES or (rest in KNOWN and split_of(head) is not None):
            before = words[-count - 1] if len(words) > count else None
            if before is None or known in AXES or plain(before) in FILLERS:
                return name
            return f"{before} {name}" if split_of(before) else None
    return None
