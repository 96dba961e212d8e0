"""Two curves, ``T`` of training and ``V`` of validation, the loggers that print them at length, and what was read of them."""
# ruff: noqa: E501  (logs, each as it is written)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runreport.history import History
from runreport.ingest.load import load_runs
from runreport.ingest.reader import ReadOptions
from runreport.run import Run

EPOCHS = range(1, 7)
T = {e: round(1 / e + 0.1, 4) for e in EPOCHS}
V = {e: round(1.1 / e + 0.25, 4) for e in EPOCHS}
BOTH = {"train_loss": T, "val_loss": V}
RMSE = {"train_rmse": T, "rmse": V}


def lines(row: Callable[[int], str]) -> str:
    return "".join(row(e) for e in EPOCHS)


GLUON_BAR = (
    "  0%|          | 0/50 [00:00<?, ?it/s]\r 20%|##        | 10/50 [00:01<00:04,  9.1it/s, epoch={0}/6, {1}={2}]\r"
)
GLUON_BAR += "100%|##########| 50/50 [00:05<00:00,  9.1it/s, epoch={0}/6, {1}={3:.3g}]\n"


def gluonts(e: int, *, validated: bool) -> str:
    """An epoch as GluonTS' trainer on MXNet prints it: from 0 on its lines, from 1 behind its bars."""
    root = f"INFO:gluonts.trainer:Epoch[{e - 1}] "
    text = f"{root}Learning rate is 0.001\n" + GLUON_BAR.format(e, "avg_epoch_loss", 9.9, T[e])
    text += GLUON_BAR.format(e, "validation_avg_epoch_loss", 9.9, V[e]) if validated else ""
    text += f"{root}Elapsed time 5.4 seconds\n{root}Evaluation metric 'epoch_loss'={T[e]:.6f}\n"
    return text + (f"{root}Evaluation metric 'validation_epoch_loss'={V[e]:.6f}\n" if validated else "")


def caffe(e: int, *, losses: int = 1, nets: int = 1) -> str:
    """A test and a display of Caffe's solver; of several losses each is an equal share, printed with its weight."""
    g, at = "I0101 12:00:00.123456   123 ", (e - 1) * 100
    share = V[e] / losses
    outputs = "".join(
        f"{g}solver.cpp:404]     Test net output #{k}: l2_{k} = {share / 2} (* 2 = {share} loss)\n"
        for k in range(losses)
    )
    others = f"{g}solver.cpp:337] Iteration {at}, Testing net (#1)\n{g}solver.cpp:404]     Test net output #0: loss = 9 (* 1 = 9 loss)\n"
    return (
        f"{g}solver.cpp:337] Iteration {at}, Testing net (#0)\n{outputs}{others if nets > 1 else ''}"
        f"{g}solver.cpp:228] Iteration {at} (2.5 iter/s, 40.1s/100 iters), loss = {T[e]}\n"
        f"{g}solver.cpp:244]     Train net output #0: l2_0 = 9 (* 1 = 9 loss)\n{g}sgd_solver.cpp:106] Iteration {at}, lr = 0.01\n"
    )


def read_one(path: Path, text: str, options: ReadOptions | None = None) -> tuple[Run, History]:
    """The one run of this text, written to ``path``, and its history."""
    path.write_text(text, encoding="utf-8")
    (run,) = load_runs([str(path)]) if options is None else load_runs([str(path)], options)
    assert isinstance(run, Run), str(run)
    assert run.history is not None
    return run, run.history


def both_losses(history: History) -> tuple[list[float | None], list[float | None]]:
    """Of training and of validation."""
    return list(history.get("train_loss")), list(history.get("val_loss"))


CURVES = ([*T.values()], [*V.values()])
"""What :func:`both_losses` gives of a log that holds both."""
