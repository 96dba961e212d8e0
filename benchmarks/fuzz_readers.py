"""Damaged logs of every format: each must become runs or one line about why not, and never end the process or hang.

    python -m benchmarks.fuzz_readers [--cases 100000] [--seed 1] [--out FILE.json]

A case takes a log of the corpus (the fixtures that the real loggers wrote, and one of each shape made by hand), damages one
of its files in one to four ways, and reads it twice: as a person names it, and by a reader that is forced on it. Each
fiftieth case that can be read is analysed and reported too. Cases run in blocks, a process each, so that one that ends its
process or does not come back is found and counted.

A case is told again by its number: ``--cases 1 --first NUMBER`` with the same seed. Most of the time goes into writing the
damaged files: with ``TMPDIR`` on a file system in memory a run takes a third of it.
"""
# ruff: noqa: E501  (logs, each as it is written)

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.ingest.reader import Reader, ReadOptions, Source
from runreport.ingest.registry import READERS
from runreport.run import Run

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "ingest" / "fixtures"
BLOCK = 5_000
"""Cases of one process."""
SLOW_S = 10
"""Seconds of processor time of one reading from which it counts as hanging: logs of a few kilobytes take milliseconds."""
WAITING_S = 300
"""Seconds on the clock after which a reading counts as waiting for something that does not come. Far more than a busy machine
keeps a process from running: time in which others run is not this program's."""
ANALYSED = 50
"""Every so many cases that can be read are analysed and reported."""
LARGEST = 200_000
"""Bytes of a damaged file."""
TOKENS = (
    b"nan", b"-inf", b"1e999", b"-1e-320", b"9" * 400, b"0x1F", b"1_000", b"NA", b"None", b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\r\r\n", b"\n\n", b"\x1b[31m", "²".encode(), "，".encode(), b'"', b'"""', b"{", b"[[[[", b"}", b"- ", b"&a ", b"*a", b"!!python/x ",
    b"../../x", b"<script>", b"| a | b |", b"__proto__", b"epoch", b"val_loss", b"true", b"12,5", b"99%", b"tensor(0.5)", b"[1, 2]",
    b"2024-01-01 00:00:00", b"1/50", b"100%|#####|", b"-0", b"1e75", b"1e76", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80",
)  # fmt: skip
"""What is put into a file: numbers at the edge of their range, marks of formats, text that drives terminals."""


def _table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows)) + "\n"


SHAPES: dict[str, str] = {
    "run.csv": _table("epoch,train_loss,val_loss,r2,variance_ratio", *(f"{e},{1 / e},{1.2 / e},{1 - 1 / e},0.{e}" for e in range(1, 9))),
    "predictions_run.csv": _table("id,group,y_true,y_pred", *(f"{i},{i % 3},{i * 0.5},{i * 0.4 + 0.1}" for i in range(12))),
    "metrics_run.json": '{"r2": 0.5, "variance_ratio": 0.7, "mae": 0.1, "selected_epoch": 3, "split": "test", "config": {"lr": 0.1}}',
    "semicolons.csv": _table("Epoch;Loss;Val Loss", *(f"{e};0,{e};0,{e + 1}" for e in range(1, 9))),
    "long.csv": _table("epoch,phase,fold,loss", *(f"{e},{p},{f},{e + f}" for f in (1, 2) for e in (1, 2, 3) for p in ("train", "val"))),
    "tidy.csv": _table("epoch,metric,value", *(f"{e},{m},{e}" for e in (1, 2, 3) for m in ("train_loss", "val_r2"))),
    "results.csv": _table("Model,MAE,R2", "Linear,0.5,0.6", "Forest,0.4,0.7"),
    "preamble.txt": "Dataset: wind\nlr: 0.1, batch: 32\n\n" + _table("Epoch,Train Loss,Val R2", "1,0.5,0.1", "2,0.4,0.2"),
    "history.json": json.dumps({"train_loss": [3, 2, 1], "val_epochs": [1, 3], "val_loss": [3.5, 1.5], "test_loss": 1.4}),
    "rows.json": json.dumps([{"epoch": e, "train": {"loss": 1 / e}, "val": {"loss": 2 / e, "r2": 0.1}} for e in (1, 2, 3)]),
    "models.json": json.dumps({"a": {"loss": [2, 1], "val_loss": [3, 2]}, "b": {"loss": [2, 1], "val_loss": [3, 2]}}),
    "final.json": json.dumps({"forest": {"r2": 0.7}, "boost": {"r2": 0.8}}),
    "log.jsonl": "".join(json.dumps({"epoch": e, "mode": m, "loss": 1 / e}) + "\n" for e in (1, 2, 3) for m in ("train", "val")),
    "history.yaml": "train_loss: [3, 2, 1]\nval_loss:\n- 3\n- 2\n- .nan\nparams: {lr: 0.1}\n",
    "train.log": "".join(f"Epoch {e}/3\n  Train Loss: 0.{e} | Val Loss: 0.{e + 1} | R²: 0.{e}\n  best saved (RMSE: 1)\n" for e in (1, 2, 3)),
    "informer.log": "".join(f"\titers: 9, epoch: {e} | loss: 0.1\nEpoch: {e}, Steps: 9 | Train Loss: 0.{e} Vali Loss: 0.2\n" for e in (1, 2)),
    "cgcnn.log": "".join(f"Epoch: [{e}][0/9]\tLoss 0.{e} (0.{e})\tMAE 0.5 (0.5)\nTest: [0/4]\tLoss 0.3 (0.3)\n * MAE 0.4\n" for e in (0, 1)),
    "aligned.txt": "Epoch   TrainLoss   ValLoss\n----\n 1   0.5   0.6\n 2   0.4   0.5 *\n",
    "bare.log": "".join(f"epoch {e}: train: {6 - e}.5 val: {7 - e}\n" for e in range(1, 6)),
    "counted.log": "".join(f"[{e}/5] Train Loss: {6 - e}.5, Valid Loss: {7 - e}\n" for e in range(1, 6)),
    "fairchem.log": "".join(f"loss: 0.{e}, epoch: {e}.00, step: {e}\nEvaluating on val.\nloss: 0.{e + 1}, epoch: {e}.0000\n" for e in (1, 2)),
    "absl.log": "".join(f"I0101 10:00:0{e}.1 140 w.py:48] [{e}] loss=0.{e}, eval_loss=0.{e}\n" for e in (1, 2, 3)),
    "matlab.txt": "|  Epoch  |  Time  |  Mini-batch  |\n|         |  (s)   |     Loss     |\n|====|\n" + "".join(f"| {e} | 00:00:0{e} | 0.{e} |\n" for e in (1, 2)),
    "trainnet.txt": "    Epoch    TrainingLoss    ValidationLoss\n    _____    ____________    ______________\n        1                             0.5\n        2          0.4\n",
    "r_keras.csv": _table('"epoch","value","metric","data"', *(f'{e},0.{e},"loss","{d}"' for d in ("training", "validation") for e in (1, 2, 3))),
    "sacred.json": json.dumps({f"{s}.loss": {"steps": [1, 2, 3], "values": [3, 2, 1]} for s in ("train", "val")}),
    "loaders.csv": _table("epoch,step,train_loss,val_loss/dataloader_idx_0", "0,1,1,", "0,1,,2", "1,2,1,", "1,2,,2"),
    "val_loss.csv": _table("step,value,timestamp", "1,0.5,1.6e9", "2,0.4,1.6e9", "3,0.3,1.6e9"),
    "info.csv": _table("TrainingLoss,ValidationLoss", "3,NaN", "2,NaN", "1,0.5"),
    "card.md": "# x\n\n| Training Loss | Epoch | Validation Loss |\n|:-:|:-:|:-:|\n| No log | 1.0 | 0.6 |\n| 0.4 | 2.0 | 0.5 |\n",
    "run-a-tag-Loss_val.csv": _table("Wall time,Step,Value", "1.6e9,0,0.5", "1.6e9,1,0.4", "1.6e9,2,0.3"),
    "wandb_export.csv": _table('"Step","a - val_loss","a - val_loss__MIN","a - val_loss__MAX"', '"0","1","1","1"', '"1","2","2","2"'),
    "test_results.csv": _table("mp-1,0.5,0.4", *(f"mp-{i},{i},{i + 0.1}" for i in range(2, 9))),
    "several_predictions.csv": _table("y_true,y_pred_a,y_pred_b,model,split", *(f"{i},{i + 1},{i - 1},m{i % 2},test" for i in range(8))),
    "gluonts.log": "".join(
        f"INFO:root:Epoch[{i}] Learning rate is 0.001\n100%|##| 50/50 [00:05<00:00,  9.1it/s, epoch={i + 1}/6, avg_epoch_loss={9.5 - i}]\n"
        f"INFO:root:Epoch[{i}] Elapsed time 5.4 seconds\nINFO:root:Epoch[{i}] Evaluation metric 'epoch_loss'={9.5 - i}01\n" for i in range(6)
    ),
    "caffe.log": "".join(
        f"I0101 12:00:00.123456   123 solver.cpp:337] Iteration {i}00, Testing net (#0)\n"
        f"I0101 12:00:00.123456   123 solver.cpp:404]     Test net output #0: l2 = 0.{i} (* 2 = 0.{i} loss)\n"
        f"I0101 12:00:00.123456   123 solver.cpp:228] Iteration {i}00 (2.5 iter/s, 40.1s/100 iters), loss = 0.{i}\n" for i in range(6)
    ),
    "targets.log": "".join(
        f"{i}th epoch, train loss (m^2): 0.{i}\nTarget: mass - Val R^2: 0.{i}\nknee Val MSE: tensor(0.{i}, device='cuda:0')\n"
        f"hip Val MSE: 0.2\n" for i in range(4, 9)
    ),
    "best_round.log": "".join(f"[{i}0]\tvalid_0's rmse: 0.{9 - i}\n" for i in range(1, 6)) + "Early stopping, best iteration is:\n[35]\tvalid_0's rmse: 0.2\n",
    "log_history.jsonl": "".join(f'{{"loss": 0.{i}, "epoch": {i}}}\n{{"eval_loss": 0.{i}, "epoch": {i}}}\n' for i in range(1, 5))
    + '{"train_runtime": 9.5, "train_loss": 0.7, "epoch": 4}\n',
    "wandb-summary.json": json.dumps({"val_loss": 0.5, "r2": 0.3, "_step": 9}),
    "results_ultra.csv": _table("epoch,train/box_loss,train/cls_loss,val/box_loss,val/cls_loss,lr/pg0", "1,1,1,1,1,0.1", "2,1,1,1,1,0.1"),
}  # fmt: skip
"""Logs of the shapes that no fixture has."""
SINGLE = frozenset(
    ("native", "predictions", "keras-csv", "fastai", "table", "boosting", "json", "jsonl", "yaml", "aligned", "markdown", "printed", "figures")
)  # fmt: skip
"""Readers that can be forced on any file."""


def corpus(folder: Path) -> list[Path]:
    """A copy of every log to damage; a Parquet file among them."""
    shutil.copytree(FIXTURES, folder / "fixtures", ignore=shutil.ignore_patterns("write", "*.py"))
    made = folder / "shapes"
    for name, text in SHAPES.items():
        place = made / name.replace(".", "_")
        place.mkdir(parents=True)
        (place / name).write_text(text, encoding="utf-8")
    import polars as pl

    for name in ("epoch_predictions_run.parquet", "test_predictions.parquet"):
        place = made / name.replace(".", "_")
        place.mkdir()
        columns = {
            "epoch": [1, 1, 2, 2] * 20,
            "y_true": [0.1 * i for i in range(80)],
            "y_pred": [0.2 * i for i in range(80)],
        }
        pl.DataFrame(columns).write_parquet(place / name)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def damaged(content: bytes, other: bytes, random_: random.Random) -> bytes:
    """The content with one to four things wrong with it."""
    data = bytearray(content)
    for _ in range(random_.randint(1, 4)):
        at = random_.randrange(len(data) + 1)
        to = min(len(data), at + random_.choice((1, 2, 8, 40, 400)))
        kind = random_.randrange(9)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << random_.randrange(8)
        elif kind == 1:
            del data[at:to]
        elif kind == 2:
            data[at:at] = data[at:to] * random_.choice((1, 1, 2, 30))
        elif kind == 3:
            data[at:] = b""
        elif kind in (4, 5):
            data[at : random_.choice((at, to))] = random_.choice(TOKENS)
        elif kind == 6:
            start = random_.randrange(len(other) + 1)
            data[at:to] = other[start : start + random_.choice((4, 40, 400))]
        elif kind == 7:
            old, new = (
                random_.choice((b",", b"\n", b":", b" ", b".", b"e", b"0")),
                random_.choice((b";", b"\t", b"\r\n", b",", b"", b"9", b"|")),
            )
            data = data.replace(old, new) if random_.random() < 0.3 else data.replace(old, new, random_.randint(1, 5))
        else:
            lines = bytes(data).split(b"\n")
            random_.shuffle(lines)
            data = bytearray(b"\n".join(lines))
    return bytes(data[:LARGEST])


def _forced(reader: Reader, path: Path) -> list[Run]:
    kind = "predictions" if reader.name == "predictions" else "history"
    return reader.read(Source(reader=reader.name, name=path.stem, root=path.parent, files={kind: path}), ReadOptions())


def _report(runs: list[Run], folder: Path) -> None:
    from runreport.analysis.engine import analyze_run
    from runreport.report.json import document, to_json
    from runreport.report.write import write_report

    for run in runs[:2]:
        analysis = analyze_run(run)
        json.loads(to_json(document([analysis])))
        write_report(analysis, None, folder, "report", charts=False)


def block(first: int, cases: int, seed: int, journal: Path) -> None:
    """Cases ``first`` to ``first + cases``; the outcome as a JSON line, the case that runs in ``journal``."""

    def hanging(number: int, _frame: FrameType | None) -> None:
        spent = f"{SLOW_S} s of processor time" if number == signal.SIGPROF else f"{WAITING_S} s of waiting"
        raise TimeoutError(f"no end after {spent}")

    signal.signal(signal.SIGPROF, hanging)
    signal.signal(signal.SIGALRM, hanging)
    outcomes: Counter[str] = Counter()
    defects: list[dict[str, object]] = []
    slowest = (0.0, -1)
    readers = [reader for reader in READERS if reader.name in SINGLE]
    with tempfile.TemporaryDirectory() as scratch:
        paths = corpus(Path(scratch) / "corpus")
        contents = {path: path.read_bytes() for path in paths}
        # A probe of Parquet is a process of its own: a twentieth of its share is enough.
        chosen = [path for path in paths if path.suffix != ".parquet"]
        parquet = [path for path in paths if path.suffix == ".parquet"]
        for number in range(first, first + cases):
            random_ = random.Random(f"{seed}-{number}")
            path = random_.choice(parquet) if random_.random() < 0.002 else random_.choice(chosen)
            data = damaged(contents[path], contents[random_.choice(chosen)], random_)
            journal.write_text(f"{number} {path.name}")
            path.write_bytes(data)
            reader = random_.choice(readers)
            readings: tuple[tuple[str, Callable[[], list[Run | InputError]]], ...] = (
                ("named", lambda path=path: list(load_runs([str(path)]))),  # type: ignore[misc]
                (reader.name, lambda reader=reader, path=path: list(_forced(reader, path))),  # type: ignore[misc]
            )
            for how, reading in readings:
                begun = time.process_time()
                signal.setitimer(signal.ITIMER_PROF, SLOW_S)
                signal.alarm(WAITING_S)
                try:
                    found = reading()
                    runs = [item for item in found if isinstance(item, Run)]
                    outcomes["read" if runs else "refused"] += 1
                    for item in found:
                        assert isinstance(item, Run) or str(item).isprintable(), "a refusal that is not one line"
                    if runs and number % ANALYSED == 0:
                        _report(runs, Path(scratch))
                        outcomes["reported"] += 1
                except InputError as error:
                    outcomes["refused"] += 1
                    if not str(error).isprintable():
                        defects.append(
                            {"case": number, "file": path.name, "how": how, "error": "a refusal of several lines"}
                        )
                except BaseException as error:  # whatever it is, it is a defect
                    outcomes["defects"] += 1
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    defects.append(
                        {"case": number, "file": path.name, "how": how, "error": f"{type(error).__name__}: {error}"[:200],
                         "at": f"{Path(where.filename).name}:{where.lineno}"}
                    )  # fmt: skip
                finally:
                    signal.setitimer(signal.ITIMER_PROF, 0)
                    signal.alarm(0)
                    slowest = max(slowest, (time.process_time() - begun, number))
            path.write_bytes(contents[path])
    print(json.dumps({"outcomes": outcomes, "defects": defects, "slowest": slowest}))


def main() -> None:
    """Runs the blocks and sums them up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--block", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--journal", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.block:
        block(arguments.first, arguments.cases, arguments.seed, arguments.journal)
        return
    start = time.monotonic()
    outcomes: Counter[str] = Counter()
    defects: list[dict[str, object]] = []
    slowest = (0.0, -1)
    with tempfile.TemporaryDirectory() as scratch:
        journal = Path(scratch) / "case"
        for first in range(arguments.first, arguments.first + arguments.cases, BLOCK):
            count = min(BLOCK, arguments.first + arguments.cases - first)
            options = ("--first", first, "--cases", count, "--seed", arguments.seed, "--journal", journal)
            command = [sys.executable, "-m", "benchmarks.fuzz_readers", "--block", *map(str, options)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
            if done.returncode != 0:
                defects.append(
                    {
                        "case": journal.read_text() if journal.exists() else "none",
                        "error": f"the process ended with {done.returncode}",
                        "at": done.stderr[-300:],
                    }
                )
                continue
            result = json.loads(done.stdout.splitlines()[-1])
            outcomes.update(result["outcomes"])
            defects += result["defects"]
            slowest = max(slowest, tuple(result["slowest"]))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = {
        "version": version("regression-runreport"), "date": datetime.now(UTC).date().isoformat(), "python": platform.python_version(),
        "first": arguments.first, "cases": arguments.cases, "seed": arguments.seed,
        "seconds": round(time.monotonic() - start), "processor_seconds": round(spent.ru_utime + spent.ru_stime),
        "slowest_processor_seconds": round(slowest[0], 2), "slowest_case": slowest[1],
        **{name: outcomes[name] for name in ("read", "refused", "reported")}, "defects": defects,
    }  # fmt: skip
    print(json.dumps(summary, indent=2))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if defects else 0)


if __name__ == "__main__":
    main()
