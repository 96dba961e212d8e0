"""Pages about runs in other people's styles, written from the CSV and JSON files themselves: every number in them is right.

Each page mixes in sentences whose numbers are of something else (a baseline, a plan, a subset): none may be held against the
logs.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A run as its files have it."""

    name: str
    metrics: dict[str, float]
    epochs: list[dict[str, str]]
    saved: int

    def at(self, epoch: int, column: str) -> float:
        """A logged value."""
        return float(next(row for row in self.epochs if int(row["epoch"]) == epoch)[column])

    @property
    def title(self) -> str:
        """run4 as people write it: Run 4."""
        head = self.name.rstrip("0123456789abc")
        return f"Run {self.name[len(head) :]}" if head == "run" else self.name


def read_raw(folder: Path) -> list[Raw]:
    """The runs of a folder that have both files."""
    found = []
    for path in sorted(folder.glob("metrics_*.json")):
        name = path.stem.removeprefix("metrics_")
        log = folder / f"{name}.csv"
        metrics = json.loads(path.read_text(encoding="utf-8"))
        if log.exists() and metrics.get("selected_epoch"):
            with log.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            found.append(Raw(name=name, metrics=metrics, epochs=rows, saved=int(metrics["selected_epoch"])))
    return found


def pages(runs: list[Raw]) -> Iterator[tuple[str, str]]:
    """(name, text) of every page."""
    for run in runs:
        for style in (notes, lab_book, letter, paper):
            yield f"{style.__name__}-{run.name}", style(run)
    if len(runs) > 1:
        yield "overview", overview(runs)


def percent(value: float, places: int = 0) -> str:
    """A share in percent."""
    return f"{100 * value:.{places}f}%"


def notes(run: Raw) -> str:
    """Bullets, as in a pull request."""
    m, middle = run.metrics, int(run.epochs[len(run.epochs) // 2]["epoch"])
    return f"""# {run.title} notes

## Results

- Test R²: {m["r2"]:.3f}
- MAE: {m["mae"]:.4f}
- RMSE: {m["rmse"]:.4f}
- Variance ratio: {percent(m["variance_ratio"], 1)}
- Pred: mean={m["pred_mean"]:.3f}, std={m["pred_std"]:.4f}
- True: mean={m["true_mean"]:.3f}, std={m["true_std"]:.4f}
- Saved epoch: {run.saved}

## Training

At epoch {middle}, val loss was {run.at(middle, "val_loss"):.3f} and R² was {run.at(middle, "r2"):.2f}.
Epoch 1 had a variance ratio of {percent(run.at(1, "variance_ratio"))}.

## Baseline

- R²: 0.412
- MAE: 0.233

## Next

- R²: 0.6 or more, with MAE of 0.15
"""


def lab_book(run: Raw) -> str:
    """A table of epochs and some remarks."""
    step = max(1, len(run.epochs) // 6)
    rows = "\n".join(
        f"| {row['epoch']} | {float(row['val_loss']):.3f} | {float(row['r2']):.3f} | "
        f"{100 * float(row['variance_ratio']):.0f} | {float(row['train_loss']):.3f} |"
        for row in run.epochs[::step]
    )
    return f"""# Lab book: {run.name}

| Epoch | Val loss | Val R² | Std ratio (%) | Train loss |
|--:|--:|--:|--:|--:|
{rows}

The linear model got R² = 0.35 on the same rows. Dropout was 0.1 and we aim at an R² of 0.5.
On the second half of the flight R² is 0.21. Mean R²: 0.44 (three colleagues' runs).

Final test results: R² = {run.metrics["r2"]:.2f}, MAE = {run.metrics["mae"]:.3f}.
"""


def letter(run: Raw) -> str:
    """Running prose, as a language model writes it."""
    m, first, last = run.metrics, run.epochs[0], run.epochs[-1]
    return f"""# What happened in {run.title}

The final test R² is {m["r2"]:.3f}, with an MAE of {m["mae"]:.3f} and an RMSE of {m["rmse"]:.3f}. The correlation is
{m["pearson_r"]:.2f}. The predictions have a std of {m["pred_std"]:.3f} against {m["true_std"]:.3f} for the truth.

During training the R² went from {float(first["r2"]):.2f} → {run.at(run.saved, "r2"):.2f} → {float(last["r2"]):.2f}. The
validation R² at epoch {run.saved} was {run.at(run.saved, "r2"):.3f}. With a better schedule R² could reach 0.7. A model that
predicts the mean would have R² = 0. Compared to the published method (R² = 0.81, MAE 0.12) this is modest; adding data gave
a colleague 0.05 more.
"""


def paper(run: Raw) -> str:
    """A table of metrics by split, rounded, with a typographic minus."""
    m, saved = run.metrics, run.saved
    text = f"""# {run.title}: results

| Metric | Validation | Test |
|---|--:|--:|
| R² | {run.at(saved, "r2"):.2f} | {m["r2"]:.2f} |
| MAE | {run.at(saved, "mae"):.3f} | {m["mae"]:.3f} |
| RMSE | {run.at(saved, "rmse"):.3f} | {m["rmse"]:.3f} |
| Pearson r | {run.at(saved, "pearson_r"):.2f} | {m["pearson_r"]:.2f} |

| Method | R² | MAE |
|---|--:|--:|
| Ridge | 0.31 | 0.29 |
| Ours, three seeds | 0.44 | 0.25 |
"""
    return text.replace("| -", "| −")


def overview(runs: list[Raw]) -> str:
    """A table of runs, and one with the runs as columns."""
    rows = "\n".join(
        f"| {run.title} | {run.metrics['r2']:.3f} | {run.metrics['mae']:.3f} | "
        f"{percent(run.metrics['variance_ratio'])} | {run.saved} |"
        for run in runs
    )
    heads = " | ".join(run.name for run in runs)
    lines = "\n".join(
        f"| {label} | " + " | ".join(f"{run.metrics[key]:.{places}f}" for run in runs) + " |"
        for label, key, places in (("R²", "r2", 2), ("RMSE", "rmse", 3), ("std of predictions", "pred_std", 3))
    )
    return f"""# All experiments

| Run | Test R² | MAE | Var. ratio | Best epoch |
|---|--:|--:|--:|--:|
{rows}

| | {heads} |
|---|{"---|" * len(runs)}
{lines}

| Fold | R² |
|---|--:|
| 1 | 0.33 |
| 2 | 0.48 |
"""
