"""Predictions of any shape → one table of truth and prediction for each model and target."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError, NoFinitePredictionsError
from runreport.ingest.columns import NAMES, plain
from runreport.ingest.prediction_columns import ID_LIKE, PRED_NAMES, TRUE_NAMES, prediction_columns
from runreport.ingest.prediction_stacks import Stack, split_of_rows, stacks
from runreport.ingest.prediction_subsets import refuse_worst_rows
from runreport.ingest.prediction_tables import Cells, read_cells
from runreport.ingest.prediction_truth import join_truth
from runreport.ingest.reader import ReadOptions, Source
from runreport.ingest.table import LARGEST, SMALLEST, is_number
from runreport.marks import clean
from runreport.run import Note, Run

if TYPE_CHECKING:
    import polars as pl

MOST_TARGETS = 200
"""Targets of one file: a report has a section for each, and nobody reads more."""
MOST_LABEL = 60
"""Characters kept of the name of a target or a model, which becomes part of the run's name."""
TRUE_PARTS = tuple(sorted((n for n in TRUE_NAMES if n != "y"), key=len, reverse=True))
PRED_PARTS = tuple(sorted((n for n in PRED_NAMES if n != "output"), key=len, reverse=True))
"""What a column of one of several targets begins or ends with: ``y_true_0``, ``price_pred``, ``predicted_rate``."""
FEWEST_FOR_CLASSES, MOST_CLASSES = 12, 20
"""Rows from which, and values up to which, whole numbers look like labels: counts and years take more."""
NO_TARGET = frozenset(
    (
        "mean",
        "std",
        "var",
        "variance",
        "range",
        "error",
        "uncertainty",
        "lower",
        "upper",
        "min",
        "max",
        "sigma",
        "ci",
        "interval",
        "time",
        "time_val",
        "time_test",
        "time_val_marginal",
        "time_test_marginal",
    )
)
"""Remainders that say what else is known of a prediction: ``pred_std`` beside ``true_std`` is no target, and
``pred_time_val`` of AutoGluon's leaderboards no prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The predictions of one model for one target.

    label
        Model and target, where the file holds several; empty where it holds one.
    rows
        ``y_true, y_pred`` (Float64, finite) and the other columns as text, in file order.
    columns_read
        Known name -> name in the file.
    split
        The split that the file says the rows are of; None where it says nothing.
    """

    label: str
    rows: pl.DataFrame
    columns_read: Mapping[str, str]
    notes: tuple[Note, ...] = ()
    split: str | None = None


def read_one(path: Path, options: ReadOptions) -> Predictions:
    """The predictions that belong to the history of one run.

    Raises
    ------
    InputError
        As :func:`read_predictions`, and where the file holds the predictions of several models or targets.
    """
    found = read_predictions(path, options.columns, truth=options.truth, key=options.key)
    if len(found) > 1:
        shown = ", ".join(p.label for p in found[:8])
        raise InputError(
            path,
            found=f"predictions of {len(found)} models or targets ({shown}) beside the history of one run",
            expected="one truth and one prediction a row",
            remedy="choose with --column y_true=NAME --column y_pred=NAME, or move the file to a folder of its own",
        )
    return replace(found[0], notes=_without_doubt(found[0].notes))


def _without_doubt(notes: Sequence[Note]) -> tuple[Note, ...]:
    """The notes without that about class labels: the native format is of quantities."""
    return tuple(note for note in notes if note.code != "classification")


def runs_of_predictions(source: Source, options: ReadOptions) -> list[Run]:
    """A run for each model and target of a source that is a file of predictions.

    Raises
    ------
    InputError
        As :func:`read_predictions`.
    """
    path = source.files["predictions"]
    found = read_predictions(path, options.columns, truth=options.truth, key=options.key)
    of_classes = [one for one in found if any(note.code == "classification" for note in one.notes)]
    declared = source.reader == "native"  # its own artifacts are of quantities, whatever values they have
    if of_classes and not declared and not {"y_true", "y_pred"} & set(options.columns):
        true, pred = (of_classes[0].columns_read[name] for name in ("y_true", "y_pred"))
        said = f"--column {shlex.quote(f'y_true={true}')} --column {shlex.quote(f'y_pred={pred}')}"
        raise InputError(
            path, found=f"what looks like class labels: {true} and {pred} are {_classes(of_classes[0].rows)} whole numbers",
            expected="predicted quantities: R², spread and mean say nothing of a classifier",
            remedy=f"if they are quantities, say so with {said}",
        )  # fmt: skip
    return [
        Run(
            name=f"{source.name}[{one.label}]" if one.label else source.name,
            format=source.reader,
            files=source.files,
            predictions=one.rows,
            split=one.split or "test",
            columns_read={known: theirs for known, theirs in one.columns_read.items() if known != theirs},
            notes=_without_doubt(one.notes) if declared else one.notes,
        )
        for one in found
    ]


def read_predictions(
    path: Path, given: Mapping[str, str], *, truth: Path | None = None, key: str | None = None
) -> list[Predictions]:
    """The predictions in a CSV, TSV or Parquet file, a table for each model and target.

    Parameters
    ----------
    given
        Known name (``y_true``, ``y_pred``) -> name in the file.
    truth, key
        A table with the truth, for predictions that have none, and the column that joins the two.

    Raises
    ------
    InputError
        No truth or no prediction column, several that could be it, no finite pair, numbers too large to square, or rows
        that can be shown to be a selection by their error.
    """
    cells = read_cells(path)
    notes = list(cells.notes)
    if truth is not None:
        cells, note = join_truth(cells, truth, key, given)
        notes.append(note)
    pairs = target_pairs(path, cells.frame.columns, given)
    names = tuple(dict.fromkeys(name for _, true, pred in pairs for name in (true, pred)))
    try:
        cells = cells.with_numbers(names)
    except InputError as error:
        raise _labels(path, cells, names) or error from None
    cells, split, said = split_of_rows(cells)
    notes += said
    found: list[Predictions] = []
    for target, true, pred in pairs:
        for stack in stacks(cells, true):
            label = " ".join(part for part in (stack.label, target) if part)
            found.append(_finite(path, stack, label, (true, pred), names, notes, split))
    labels = [p.label for p in found]
    if len(set(labels)) < len(labels):
        twice = next(x for x in labels if labels.count(x) > 1)
        raise InputError(path, found=f"two models or targets called {twice!r}", expected="each name once")
    return found


def target_pairs(path: Path, found: Sequence[str], given: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(target, truth column, prediction column) of each target; the target is empty where there is one.

    Raises
    ------
    InputError
        No truth, no prediction, or more than one of either for a target.
    """
    named = {plain(c) for c in found}
    half = {"y_true", "y_pred"} & set(given)
    if len(half) == 1:
        return [("", *prediction_columns(path, found, with_other_half(found, given)))]
    if half or (named & set(TRUE_NAMES) and named & set(PRED_NAMES)):
        return [("", *prediction_columns(path, found, given))]
    if models := _models(found):
        return models
    truths: dict[str, list[str]] = {}
    preds: dict[str, list[str]] = {}
    for column in found:
        for parts, by_target in ((PRED_PARTS, preds), (TRUE_PARTS, truths)):
            target = _target(plain(column), parts)
            if target is not None and target not in NO_TARGET:
                by_target.setdefault(target, []).append(column)
                break
    if not truths and not named & set(TRUE_NAMES):
        # `logS` beside `logS_pred`: the truth bears the target's own name. Not a loss beside a predicted one: that is a history.
        truths = {plain(c): [c] for c in found if plain(c) in preds and plain(c) not in NAMES}
    both = [target for target in truths if target in preds]
    if not both:
        return [_half_pair(path, found, truths, preds)]
    for target in both:
        for what, columns in (("truth", truths[target]), ("prediction", preds[target])):
            if len(columns) > 1:
                shown = ", ".join(map(repr, columns[:5]))
                raise InputError(
                    path, found=f"{len(columns)} columns that could be the {what} of {target!r}: {shown}",
                    remedy="choose with --column y_true=NAME --column y_pred=NAME",
                )  # fmt: skip
    if len(both) > MOST_TARGETS:
        raise InputError(path, found=f"{len(both)} targets", expected=f"at most {MOST_TARGETS}")
    several = len(both) > 1
    return [(clean(t)[:MOST_LABEL] if several else "", truths[t][0], preds[t][0]) for t in both]


def with_other_half(found: Sequence[str], given: Mapping[str, str]) -> Mapping[str, str]:
    """Truth or prediction was given, and the other has no plain name: the one column that is called after it, if there is one.

    >>> with_other_half(["load_id", "price", "predicted_rate"], {"y_true": "price"})
    {'y_true': 'price', 'y_pred': 'predicted_rate'}
    """
    known = "y_true" if "y_true" in given else "y_pred"
    other = "y_pred" if known == "y_true" else "y_true"
    exact, parts = (PRED_NAMES, PRED_PARTS) if other == "y_pred" else (TRUE_NAMES, TRUE_PARTS)
    rest = [c for c in found if c != given[known]]
    if any(plain(c) in exact for c in rest):
        return given
    targets = {c: target for c in rest if (target := _target(plain(c), parts)) and target not in NO_TARGET}
    own = _target(plain(given[known]), TRUE_PARTS if other == "y_pred" else PRED_PARTS)
    of_own = [c for c, target in targets.items() if target == own]
    chosen = of_own if len(of_own) == 1 else list(targets)
    return {**given, other: chosen[0]} if len(chosen) == 1 else given


def _models(found: Sequence[str]) -> list[tuple[str, str, str]]:
    """(model, truth, prediction) where one truth stands beside a column of predictions a model (``y_pred_rf``, ``pred_nn``)."""
    truths = [c for c in found if plain(c) in TRUE_NAMES]
    named = {plain(c): c for c in found}
    models = {
        model: column for name, column in named.items()
        if (model := _target(name, PRED_PARTS)) and model not in NO_TARGET and column not in truths
    }  # fmt: skip
    others = [t for n in named if (t := _target(n, TRUE_PARTS)) and t in models]
    if len(truths) != 1 or len(models) < 2 or others or len(models) > MOST_TARGETS:
        return []
    return [(clean(model)[:MOST_LABEL], truths[0], column) for model, column in models.items()]


def _target(name: str, parts: Sequence[str]) -> str | None:
    """What is left of a column's name without the word for truth or prediction.

    >>> _target("y_true_0", TRUE_PARTS), _target("price_predicted", PRED_PARTS), _target("distance", PRED_PARTS)
    ('0', 'price', None)
    """
    if name in parts:
        return ""
    for part in parts:
        if name.startswith(f"{part}_"):
            return name[len(part) + 1 :]
        if name.endswith(f"_{part}"):
            return name[: -len(part) - 1]
    return None


def _half_pair(
    path: Path, found: Sequence[str], truths: Mapping[str, list[str]], preds: Mapping[str, list[str]]
) -> tuple[str, str, str]:
    """The one prediction of a file whose truth has a bare name (``target`` beside ``model_prediction``), or the refusal."""
    predictions = [c for columns in preds.values() for c in columns]
    exact_true = [c for c in found if plain(c) in TRUE_NAMES]
    exact_pred = [c for c in found if plain(c) in PRED_NAMES]
    if len(exact_true) == 1 and len(predictions) == 1:
        return "", exact_true[0], predictions[0]
    named_true = [c for t, columns in truths.items() if t for c in columns]
    if len(exact_pred) == 1 and len(named_true) == 1 and not exact_true:
        return "", named_true[0], exact_pred[0]
    if predictions and not truths and not exact_true:
        raise InputError(
            path,
            found=f"no truth column (y_true) beside {', '.join(map(repr, predictions[:4]))} among {', '.join(found[:12])}",
            expected="a column of true values, such as y_true",
            remedy=_how_to_name(found, predictions),
        )
    true, pred = prediction_columns(path, found, {})
    return "", true, pred


def _how_to_name(found: Sequence[str], predictions: Sequence[str]) -> str:
    """How to say what the truth is: with the one column that it could be, where there is one."""
    others = [c for c in found if c and c not in predictions]
    surely = len(others) == 1 and not ID_LIKE.search(plain(others[0]))
    name = shlex.quote(f"y_true={others[0]}") if surely else "y_true=NAME"
    return f"give the table that has them with --truth FILE --key COLUMN, or name it with --column {name}"


def _finite(
    path: Path,
    stack: Stack,
    label: str,
    pair: tuple[str, str],
    numeric: Sequence[str],
    notes: Sequence[Note],
    split: str | None,
) -> Predictions:
    """The rows of one stack and target that have a finite truth and prediction."""
    import polars as pl

    true, pred = pair
    # A column that is not the truth but bears its name (another was given) would be two of one name.
    kept = [c for c in stack.frame.columns if c in pair or (c not in ("y_true", "y_pred", "") and c not in numeric)]
    cells = stack.frame.select(kept).rename({true: "y_true", pred: "y_pred"})
    finite = pl.col("y_true").is_finite().fill_null(False) & pl.col("y_pred").is_finite().fill_null(False)
    rows = cells.filter(finite)
    of = f" of {label}" if label else ""
    if rows.is_empty():
        raise NoFinitePredictionsError(
            path, found=f"none of the {cells.height} rows{of} has both a finite truth and a finite prediction",
            expected="numbers in y_true and y_pred", remedy="the model may have diverged",
        )  # fmt: skip
    for column, name in (("y_true", true), ("y_pred", pred)):
        # Refused, not mended: the squares of such numbers are infinite or zero, and every figure with them.
        largest = float(rows.select(pl.col(column).abs().max()).item())
        if largest > LARGEST or 0 < largest < SMALLEST:
            raise InputError(
                path,
                found=f"values up to {largest:.0e} in column {name!r}",
                expected=f"a largest value between {SMALLEST:g} and {LARGEST:g}",
                remedy="use another unit",
            )
    refuse_worst_rows(path, rows)
    said = [*notes, *stack.notes]
    if count := _classes(rows):
        message = (
            f"truth and prediction are {count} whole numbers: if they are class labels, R², spread and mean say nothing of "
            "the classifier; they were treated as quantities"
        )
        said.append(Note(code="classification", message=message))
    if rows.height < cells.height:
        lost = cells.height - rows.height
        message = f"{lost} of {cells.height} prediction rows lack a finite truth or prediction and were left out"
        said.append(Note(code="predictions.not-finite", message=message))
    return Predictions(
        label=label, rows=rows, columns_read={"y_true": true, "y_pred": pred}, notes=tuple(said), split=split
    )


def _labels(path: Path, cells: Cells, names: Sequence[str]) -> InputError | None:
    """The refusal of class labels: a truth or prediction column of words that come again; None where it has some."""
    for name in names:
        column = cells.frame[name]
        words = [] if column.dtype.is_numeric() else column.drop_nulls().unique(maintain_order=True).to_list()
        if len(words) < column.len() and words and not any(is_number(str(word)) for word in words):
            shown = ", ".join(clean(word)[:30] for word in words[:3])
            return InputError(
                path, found=f"text in column {name!r} ({shown})", expected="numbers",
                remedy="class labels are not reported on: this tool is about predicted quantities",
            )  # fmt: skip
    return None


def _classes(rows: pl.DataFrame) -> int:
    """How many values both truth and prediction take, where these are few and whole, as class labels are; else 0."""
    true, pred = rows["y_true"], rows["y_pred"]
    if rows.height < FEWEST_FOR_CLASSES or not bool(((true.round(0) == true) & (pred.round(0) == pred)).all()):
        return 0
    values = set(true.unique().to_list()) | set(pred.unique().to_list())
    return len(values) if len(values) <= min(MOST_CLASSES, rows.height // 3) else 0


def looks_like_predictions(path: Path, header: Sequence[str]) -> bool:
    """Whether a table with this header is one of predictions: it has a prediction, and a truth or no epoch."""
    names = {plain(c) for c in header}
    if names & {"epoch", "step", "iter", "iteration", "global_step"}:
        return False
    try:
        target_pairs(path, header, {})
    except InputError:
        return any(_target(name, PRED_PARTS) not in (None, *NO_TARGET) for name in names)
    return True
