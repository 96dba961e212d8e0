"""Which column of a log is which: the field's many names for the few things that a report needs."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from runreport.errors import InputError

SHORT = 100
"""Characters of a name whose plain form is kept: longer ones are data, and would hold memory."""
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where ``trainLoss`` has a new word."""
NO_WORD = re.compile(r"[^0-9a-z]+")
FILED_UNDER = "metrics_"
"""A folder that many file their figures under (``metrics/val/loss``) and that says nothing of them."""
OVER_FOLDS = "_mean"
"""What cross-validation adds to the mean over its folds (XGBoost's and CatBoost's ``test-rmse-mean``)."""
LOADER = re.compile(r"(.+)_dataloader_idx_\d{1,4}")
"""What Lightning adds where there are several validation or test loaders: ``val_loss/dataloader_idx_0``, plain."""
LR_OF_OPTIMIZERS = tuple(
    f"lr_{name}" for name in (
        "adam", "adamw", "adam_w", "sgd", "rmsprop", "nadam", "radam", "adamax", "adagrad",
        "adadelta", "lion", "lamb",
    )
)  # fmt: skip
"""What Lightning's monitor calls the rate: after its optimizer."""
# Known name -> what else the field calls it, after `plain`. Names without a prefix mean validation for scores (a log
# has one r2, and it is the validation one) and train for `loss` alone (Keras, Lightning, HF all log it so).
ALIASES: Mapping[str, tuple[str, ...]] = {
    "epoch": (
        "epochs",
        "ep",
        "epoch_num",
        "epoch_number",
        "epoch_idx",
        "epoch_no",
        "n_epoch",
        "training_iteration",
        "iter",
        "iteration",
        "step",
        "global_step",
        "round",
        "boosting_round",
        "number_of_trees",
        "n_trees",
    ),
    "train_loss": (
        "loss",
        "training_loss",
        "train_losses",
        "tr_loss",
        "avg_train_loss",
        "avg_loss",
        "avg_epoch_loss",
        "mini_batch_loss",  # MATLAB
        "loss_curve",  # scikit-learn's MLPRegressor.loss_curve_
    ),
    "val_loss": ("valid_loss", "validation_loss", "eval_loss", "dev_loss", "vl_loss", "val_losses", "avg_val_loss"),
    "r2": (
        "val_r2",
        "valid_r2",
        "validation_r2",
        "eval_r2",
        "r_squared",
        "r2_score",
        "val_r2_score",
        "val_r_squared",
        "r2score",
        "val_r2score",
        "coef_det",
        "coefficient_of_determination",
        "coeff_determination",
        "val_coeff_determination",
        "r_square",  # TensorFlow Addons' RSquare
        "val_r_square",
        "valid_r2_score",
        "eval_r2_score",
        "rsquared",
        "val_rsquared",
        "nse",  # Nash and Sutcliffe's efficiency is R² by another name
        "val_nse",
    ),
    "variance_ratio": ("var_ratio", "std_ratio", "val_variance_ratio", "val_var_ratio", "val_std_ratio"),
    "pearson_r": (
        "pearson",
        "pearsonr",
        "val_pearson",
        "val_pearson_r",
        "val_pearsonr",
        "eval_pearson",
        "eval_pearson_r",
        "pearsoncorrcoef",
        "val_pearsoncorrcoef",
        "pearson_corr",
        "val_pearson_corr",
        "pearson_correlation",
    ),
    "pred_std": ("val_pred_std", "prediction_std", "std_pred"),
    "pred_mean": ("val_pred_mean", "prediction_mean", "mean_pred"),
    "true_std": ("val_true_std", "target_std", "std_true"),
    "true_mean": ("val_true_mean", "target_mean", "mean_true"),
    "pred_range": ("pred_spread", "prediction_spread", "val_pred_range"),
    "mae": ("val_mae", "valid_mae", "validation_mae", "eval_mae", "val_mean_absolute_error", "mean_absolute_error"),
    "rmse": (
        "val_rmse",
        "valid_rmse",
        "validation_rmse",
        "eval_rmse",
        "val_root_mean_squared_error",
        "root_mean_squared_error",
    ),
    "mse": ("val_mse", "valid_mse", "validation_mse", "eval_mse", "val_mean_squared_error", "mean_squared_error"),
    "train_r2": ("training_r2", "train_r_squared", "train_r2_score", "train_r2score", "train_r_square"),
    "train_variance_ratio": ("train_var_ratio", "train_std_ratio"),
    "train_pearson_r": ("train_pearson",),
    "train_mae": ("training_mae", "train_mean_absolute_error"),
    "train_rmse": ("training_rmse", "train_root_mean_squared_error", "mini_batch_rmse"),
    "train_mse": ("training_mse", "train_mean_squared_error"),
    "train_pred_mean": (),
    "learning_rate": (
        "lr",
        "learningrate",
        "learning_rates",
        "lrs",
        "current_lr",
        "train_lr",
        "train_learning_rate",
        "learn_rate",  # MATLAB, also the next two
        "base_learn_rate",
        "base_learning_rate",
        *LR_OF_OPTIMIZERS,
    ),
    "base_loss": ("val_base_loss",),
    "penalty_loss": ("variance_loss", "val_penalty_loss", "var_loss"),
    "variance_lambda": ("var_lambda",),
    "grad_norm_base": ("base_grad_norm",),
    "grad_norm_penalty": ("var_grad_norm", "penalty_grad_norm"),
    "grad_norm_total": ("grad_norm", "gradient_norm", "train_grad_norm"),
    "epoch_seconds": (
        "epoch_time",
        "time",
        "duration",
        "epoch_duration_s",
        "epoch_duration",
        "epoch_sec",
        "epoch_time_s",
        "time_s",
        "time_sec",
        "seconds",
    ),
}
TOTALS: Mapping[str, tuple[str, ...]] = {
    "train_loss": ("total_loss", "train_total_loss", "train_loss_total", "total_train_loss"),
    "val_loss": ("val_total_loss", "val_loss_total", "total_val_loss"),
}
"""What a loss is called that sums others: it is the loss where no column bears that name itself."""
KNOWN: Mapping[str, str] = {
    alias: known for table in (TOTALS, ALIASES) for known, aliases in table.items() for alias in (known, *aliases)
}
"""Every name of a figure that reports are about -> the known one."""
MEASURED = frozenset(name for name, known in KNOWN.items() if known not in ("epoch", "epoch_seconds", "learning_rate"))
"""Names that make a document a training log."""
NAMES = frozenset(name for known, aliases in ALIASES.items() for name in (known, *aliases))
"""Every name that is known as it stands."""
UNIT = re.compile(r"\s*\([^()]{1,30}\)$")
"""What a name says in brackets of its unit or its kind: ``RMSE (eV)``, ``Train Loss (MSE)``."""
KINDS_OF_LOSS = frozenset(("mse", "mae", "rmse", "l1", "l2", "huber", "smooth", "logcosh"))
FIRST_SET = re.compile(r"^(train|val|valid|test|eval)_0_")
"""The first of the sets that TabNet evaluates on: ``val_0_rmse``."""
WORDS_OF_A_MEAN = frozenset(("avg", "average", "mean", "epoch"))
"""What a figure's name may say of its being a mean over the epoch, which every figure of an epoch is."""
SCORES = ("r2", "mae", "rmse", "mse", "pearson_r", "variance_ratio")
"""Known names that have a ``train_`` twin: without a prefix they are of validation, but of training beside ``val_`` ones."""
OPTIONAL = ("learning_rate", "epoch_seconds")
"""Known names whose several candidates leave them out, where the name of a loss or a score is asked for."""
PERCENT = ("_percent", "_pct")
"""Endings of a plain name that say per cent."""
R2_NAMES = frozenset(name for known in ("r2", "train_r2") for name in (known, *ALIASES[known]))
TRAIN_WORDS = ("train", "training", "trn", "tr")
VALIDATION_WORDS = ("val", "valid", "validation", "vali", "va", "eval", "dev")
SAMPLE_NAMES = ("y_true", "y_pred")
"""Known names of a predictions file; a history file has none of them."""


def plain(name: str) -> str:
    """A column name as compared: lower case, ``R²`` as r2, anything but letters and digits as one underscore.

    >>> plain(" Valid R² "), plain("val/loss"), plain("Learning-Rate"), plain("trainLoss")
    ('valid_r2', 'val_loss', 'learning_rate', 'train_loss')
    """
    return _plain_of_short(name) if len(name) <= SHORT else _plain(name)


def _plain(name: str) -> str:
    parted = CAMEL.sub("_", name.strip())
    return NO_WORD.sub("_", parted.lower().replace("²", "2").replace("^2", "2")).strip("_")


_plain_of_short = lru_cache(maxsize=4096)(_plain)
"""Each name of a log is asked for a hundred times while it is read, and ten thousand logs have the same ones."""


def without_words_of_a_mean(short: str) -> str:
    """A plain name without words that say it is a mean over the epoch, where that is a known figure; else as it is.

    >>> without_words_of_a_mean("validation_avg_epoch_loss"), without_words_of_a_mean("epoch_time")
    ('validation_loss', 'epoch_time')
    """
    if short in NAMES:
        return short
    left = "_".join(word for word in short.split("_") if word not in WORDS_OF_A_MEAN)
    return left if left in MEASURED else short


def usual_name(name: str) -> str:
    """A name, plain, without what may stand around a figure that is known: its unit, the mean it is, the kind of a loss.

    >>> usual_name("RMSE (eV)"), usual_name("val avg epoch loss"), usual_name("val_mse_loss"), usual_name("val_0_rmse")
    ('rmse', 'val_loss', 'val_loss', 'val_rmse')
    """
    return _usual_of_short(name) if len(name) <= SHORT else _usual(name)


def _usual(name: str) -> str:
    short = plain(name)
    if short in NAMES:
        return short
    short = FIRST_SET.sub(r"\1_", plain(UNIT.sub("", name)))
    if short in NAMES:
        return short
    if short.endswith("_loss"):
        parts = short.split("_")
        left = "_".join(p for i, p in enumerate(parts) if p not in KINDS_OF_LOSS or i == 0)
        short = left if left in MEASURED else short
    return without_words_of_a_mean(short)


_usual_of_short = lru_cache(maxsize=4096)(_usual)


def several_loaders(names: Iterable[str]) -> list[str]:
    """The names of figures that Lightning logged for several loaders of one split: which one is meant, nothing says.

    >>> several_loaders(["test_loss/dataloader_idx_0", "test_loss/dataloader_idx_1", "test_r2/dataloader_idx_0"])
    ['test_loss/dataloader_idx_0', 'test_loss/dataloader_idx_1']
    """
    stems = {name: match[1] for name in names if (match := LOADER.fullmatch(plain(name)))}
    counts = Counter(stems.values())
    return [name for name, stem in stems.items() if counts[stem] > 1]


def is_percent(name: str) -> bool:
    """Whether a header says that its column holds per cent.

    >>> is_percent("R2 (%)"), is_percent("val_r2_percent"), is_percent("r2")
    (True, True, False)
    """
    return "%" in name or plain(name).endswith(PERCENT)


def map_columns(path: Path, found: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Known name -> column of this file.

    A column that bears the known name itself wins over its aliases. ``given`` (``--column known=theirs``) wins over
    both. Two aliases of one known name are not guessed between.

    Raises
    ------
    InputError
        A given column that does not exist, a known name that does not exist, or an ambiguity.
    """
    mapped: dict[str, str] = {}
    for known, theirs in given.items():
        if known in SAMPLE_NAMES:
            continue
        if known not in ALIASES:
            names = (*ALIASES, *SAMPLE_NAMES)
            raise InputError(path, found=f"unknown name {known!r} in --column", expected=near(known, names))
        if theirs not in found:
            raise InputError(path, found=f"no column {theirs!r}", expected=near(theirs, found))
        if theirs in mapped.values():
            raise InputError(path, found=f"column {theirs!r} given twice with --column", expected="each column once")
        mapped[known] = theirs
    taken = set(mapped.values())
    by_plain = _by_plain([name for name in found if name not in taken])
    for known in SCORES:
        if known not in mapped and f"train_{known}" not in mapped:
            mapped |= _twins(known, by_plain)
    taken = set(mapped.values())
    for known, aliases in ALIASES.items():
        if known in mapped:
            continue
        if known in found and known not in taken:
            mapped[known] = known
            continue
        candidates = by_plain.get(known, []) or [n for alias in aliases for n in by_plain.get(alias, [])]
        candidates = [n for n in candidates if n not in taken]
        if known == "epoch" and len(candidates) > 1:
            candidates = candidates[:1]  # aliases are in order of preference: an epoch beside a step is the epoch
        if len(candidates) > 1 and known in OPTIONAL:
            continue
        if len(candidates) > 1:
            raise ambiguous(path, known, candidates)
        if candidates:
            mapped[known] = candidates[0]
    for known, totals in TOTALS.items():
        found_totals = [n for total in totals for n in by_plain.get(total, []) if n not in mapped.values()]
        if known not in mapped and len(found_totals) == 1:
            mapped[known] = found_totals[0]
    return mapped


def _by_plain(found: Sequence[str]) -> dict[str, list[str]]:
    """Columns by their plain names, and by what these come to without what loggers add around them.

    Lightning's ``_epoch`` (a mean over the epoch) where there is no column without it; ``loss/val``, the split last; and
    every word for a split as ours (``dev_mse``).
    """
    by_plain: dict[str, list[str]] = {}
    for name in found:
        by_plain.setdefault(plain(name), []).append(name)
    others: dict[str, list[str]] = {}
    loosely: dict[str, list[str]] = {}
    for name in found:
        short = plain(name)
        usual = loader[1] if (loader := LOADER.fullmatch(short)) else usual_name(name)
        usual = usual.removesuffix("_epoch") if usual != "epoch" else usual
        usual = usual.removeprefix(FILED_UNDER)
        usual = usual if short in NAMES else without_words_of_a_mean(usual.removesuffix(OVER_FOLDS))
        for ending in PERCENT:
            usual = usual.removesuffix(ending) if usual.removesuffix(ending) in R2_NAMES else usual
        head, _, tail = usual.rpartition("_")
        if head and tail in (*TRAIN_WORDS, *VALIDATION_WORDS):
            usual = f"{'train' if tail in TRAIN_WORDS else 'val'}_{head}"
        elif short not in NAMES:
            head, _, rest = usual.partition("_")
            if rest and head in (*TRAIN_WORDS, *VALIDATION_WORDS):
                usual = f"{'train' if head in TRAIN_WORDS else 'val'}_{rest}"
        if usual != short and usual and usual not in by_plain:
            (others if usual_name(name) == short else loosely).setdefault(usual, []).append(name)
    # A loss that is one of two terms must not stand for the one that bears no kind: `valid_loss` beside `valid_mse_loss`.
    surely = {KNOWN[name] for name in (*by_plain, *others) if name in KNOWN}
    others |= {usual: names for usual, names in loosely.items() if KNOWN.get(usual) not in surely}
    return by_plain | others


def _twins(known: str, by_plain: Mapping[str, list[str]]) -> dict[str, str]:
    """What a bare name means beside a ``val_`` one: Keras logs ``mae`` for training and ``val_mae`` for validation.

    Beside a bare ``loss`` and no name of any split it is of the split that the loss is of: Keras without validation.
    """
    names = (known, *ALIASES[known])
    bare = [n for p in names if p.split("_")[0] not in VALIDATION_WORDS for n in by_plain.get(p, [])]
    held_out = [n for p in names if p.split("_")[0] in VALIDATION_WORDS for n in by_plain.get(p, [])]
    has_train = any(by_plain.get(p) for p in (f"train_{known}", *ALIASES.get(f"train_{known}", ())))
    if len(bare) == 1 and not held_out and "loss" in by_plain and not any(map(_of_a_split, by_plain)):
        return {f"train_{known}": bare[0]} if f"train_{known}" in ALIASES else {}
    if len(bare) != 1 or len(held_out) != 1 or has_train:
        return {}
    return {f"train_{known}": bare[0], known: held_out[0]}


def _of_a_split(name: str) -> bool:
    """Whether a plain name says which split it is of."""
    words = name.split("_")
    return any(word in (*TRAIN_WORDS, *VALIDATION_WORDS, "test") for word in (words[0], words[-1]))


def ambiguous(path: Path, known: str, candidates: Sequence[str]) -> InputError:
    """The refusal that names the choices where several columns could be one thing."""
    return InputError(
        path,
        found=f"{len(candidates)} columns that could be {known}: {', '.join(repr(c) for c in candidates)}",
        remedy=f"choose one with --column {shlex.quote(f'{known}={candidates[0]}')}",
    )


def near(name: str, choices: Iterable[str], most: int = 8) -> str:
    """The choices nearest to a mistyped name, else the first few of them.

    >>> near("val_los", ["epoch", "val_loss"])
    "'val_loss'"
    """
    from difflib import get_close_matches  # here: longer to import than a log to read

    options = list(choices)
    close = get_close_matches(name, options, n=3)
    if close:
        return " or ".join(repr(c) for c in close)
    return "one of " + ", ".join(options[:most]) + (", ..." if len(options) > most else "")
