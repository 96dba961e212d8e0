"""loss.unreconciled: a validation loss that rises by more than the logged R² and ratio can produce.

The validation set is the same at every epoch, so its mean squared error is proportional to 1 - R². With

    val_loss = base + λ·(1 - α²)²

and λ, α known, the base loss of an epoch follows, and between two epochs i and j whose 1 - R² are alike it can grow by

    squared error    exactly (1 - R²_j)/(1 - R²_i)
    Huber, MAE       at most max(1, that ratio) × S

because Huber lies between a multiple of the squared error and a multiple of the mean absolute error, and E|e|/√E[e²]
differs between error distributions of any width by the factor S = 1.25 at most: it is 0.87 for uniform, 0.80 for normal,
0.71 for Laplace errors. Only rises beyond the bound count: a constant that the config does not tell of (weight decay in
the loss) makes relative changes smaller, never larger.
"""

from __future__ import annotations

from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.data_basis import usable
from runreport.rules.log_integrity_rounding import column_decimals, half_unit
from runreport.rules.penalty_facts import penalty_of
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent

UNRECONCILED = "loss.unreconciled"

SQUARED = frozenset({"mse", "mse_loss", "mseloss", "mean_squared_error", "l2"})
ROBUST = frozenset(
    {"huber", "huber_loss", "huberloss", "smooth_l1", "smoothl1", "smooth_l1_loss", "smoothl1loss", "mae", "l1"}
    | {"l1_loss", "l1loss", "mae_loss", "mean_absolute_error"}
)
LOSS_KEYS = ("loss", "loss_function", "loss_fn", "criterion", "base_loss")
MOST_EPOCHS = 100
"""Epochs compared pairwise; longer logs are thinned evenly: 10,000 pairs cost a few milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochLoss:
    """One epoch's validation loss in parts.

    base, penalty
        With λ included in ``penalty``; base = loss - penalty.
    slack
        Rounding of the logged loss and of the penalty.
    """

    epoch: int | float
    loss: float
    unexplained: float
    base: float
    penalty: float
    slack: float


def check_unreconciled(context: Context, limits: Limits) -> Outcome:
    """The pair of epochs whose rise of the validation loss is farthest beyond what the metrics allow."""
    history = context.history
    if history is None:
        return NotChecked(rule=UNRECONCILED, reason="no history")
    missing = [name for name in ("val_loss", "r2") if not history.has(name)]
    if missing:
        return NotChecked(rule=UNRECONCILED, reason=f"no {' and no '.join(missing)} column")
    kind = _loss_kind(context)
    if kind is None:
        return NotChecked(
            rule=UNRECONCILED, reason="the config does not name a loss whose size follows from R² (mse, huber, mae)"
        )
    # A config that names its loss and no λ has no penalty.
    penalty_on = penalty_of(context)
    weight = 0.0 if penalty_on is None else max(penalty_on.weight, 0.0)
    if weight and penalty_on is not None and not history.has("base_loss"):
        scheduled = context.config.get("lambda_schedule") not in (None, "constant")
        if penalty_on.kind != "variance_ratio" or scheduled:
            why = "its weight changes over the epochs" if penalty_on.kind == "variance_ratio" else penalty_on.unknown
            why = why or f"the size of a {penalty_on.label} does not follow from the std ratio"
            return NotChecked(
                rule=UNRECONCILED, reason=f"a spread penalty is part of the loss, no base_loss is logged, and {why}"
            )
    if weight and not history.has("variance_ratio") and not history.has("base_loss"):
        return NotChecked(
            rule=UNRECONCILED, reason="a spread penalty is on and no variance_ratio column tells its size"
        )
    epochs = _epoch_losses(context, weight)
    if len(epochs) < 2:
        return NotChecked(rule=UNRECONCILED, reason="fewer than 2 epochs with loss, R² and std ratio")
    shape = limits["shape_squared"] if kind == "squared" else limits["shape_robust"]
    found = _worst_pair(epochs, kind, shape, limits)
    if found is None:
        return CLEAR
    one, two, most = found
    rise, error_change = two.loss / one.loss - 1, two.unexplained / one.unexplained - 1
    penalty = ""
    if one.penalty or two.penalty:
        way = "fell" if two.penalty < one.penalty else "rose"
        penalty = f" and the penalty {way} from {fixed(one.penalty, 2)} to {fixed(two.penalty, 2)}"
    moved = "rose" if error_change >= 0 else "fell"
    span = f"from epoch {epoch_text(one.epoch)} to {epoch_text(two.epoch)}"
    if two.epoch < one.epoch:
        span = f"in epoch {epoch_text(two.epoch)} over epoch {epoch_text(one.epoch)}"
    message = (
        f"The validation loss rose {percent(rise, 0)} {span} while the squared error {moved} "
        f"{percent(abs(error_change), 0)}{penalty}: the logged R² and ratio allow {number(most)} at most, the log says "
        f"{number(two.loss)}."
    )
    evidence: dict[str, Value] = {
        "from": one.epoch,
        "to": two.epoch,
        "val_loss": [one.loss, two.loss],
        "one_minus_r2": [one.unexplained, two.unexplained],
        "penalty": [one.penalty, two.penalty],
        "at_most": most,
        "excess": (two.loss - most) / one.loss,
        "loss_kind": kind,
        "variance_lambda": weight,
        "shape_factor": shape,
    }
    finding = Finding(
        rule=UNRECONCILED,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=two.epoch,
        split="validation",
    )
    return Checked(findings=(finding,))


def _loss_kind(context: Context) -> str | None:
    for key in LOSS_KEYS:
        name = context.config.get(key)
        if isinstance(name, str):
            plain = name.strip().lower().replace("-", "_").replace(" ", "_")
            if plain in SQUARED:
                return "squared"
            return "robust" if plain in ROBUST else None
    return None


def _epoch_losses(context: Context, weight: float) -> list[EpochLoss]:
    """Epochs with all that is needed; a logged base loss explains itself and replaces val_loss minus penalty."""
    history = context.history
    if history is None:
        return []
    rows: list[EpochLoss] = []
    ratios, bases = dict(history.finite("variance_ratio")), dict(history.finite("base_loss"))
    pairs = history.finite("val_loss")
    places = column_decimals(v for _, v in pairs)
    r2s = dict(history.finite("r2"))
    r2_places = column_decimals(r2s.values())
    for epoch, loss in pairs:
        r2, ratio = r2s.get(epoch), ratios.get(epoch)
        if r2 is None or not usable(r2) or not usable(loss) or loss <= 0 or not r2 < 1:
            continue
        base, penalty, slack = bases.get(epoch), 0.0, half_unit(loss, places)
        if base is not None and usable(base):
            penalty = loss - base
        elif weight:
            if ratio is None or not usable(ratio):
                continue
            gap = 1 - ratio * ratio
            penalty = weight * gap * gap
            slack += weight * 4 * abs(gap * ratio) * half_unit(ratio, column_decimals(ratios.values()))
        # The rounding of R² moves 1 - R², and with it what the base loss of this epoch may be.
        slack += abs(loss - penalty) * half_unit(r2, r2_places) / (1 - r2)
        if loss - penalty > 0:
            rows.append(
                EpochLoss(epoch=epoch, loss=loss, unexplained=1 - r2, base=loss - penalty, penalty=penalty, slack=slack)
            )
    if len(rows) > MOST_EPOCHS:
        last = len(rows) - 1
        rows = [rows[round(i * last / (MOST_EPOCHS - 1))] for i in range(MOST_EPOCHS)]
    return rows


def _worst_pair(
    epochs: list[EpochLoss], kind: str, shape: float, limits: Limits
) -> tuple[EpochLoss, EpochLoss, float] | None:
    """(lower, higher, most that the higher loss could be) of the pair that is farthest beyond it; None if none is."""
    worst: tuple[float, EpochLoss, EpochLoss, float] | None = None
    alike = limits["alike"]
    for i, one in enumerate(epochs):
        for two in epochs[i + 1 :]:
            low, high = (one, two) if one.loss <= two.loss else (two, one)
            ratio = high.unexplained / low.unexplained
            if not 1 / alike <= ratio <= alike:
                continue
            growth = (ratio if kind == "squared" else max(1.0, ratio)) * shape
            most = (low.base + low.slack) * growth + high.penalty + high.slack
            excess = (high.loss - most) / low.loss
            if excess > limits["excess"] and (worst is None or excess > worst[0]):
                worst = (excess, low, high, most)
    return None if worst is None else worst[1:]
