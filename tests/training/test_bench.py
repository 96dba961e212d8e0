"""``python -m training bench``: the loops train the same, the document holds together, the command refuses nonsense."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from training.bench.cases import QUICK, fast_settings, parse_case, preset_config, random_split
from training.bench.lines import FAST_GOAL, bench_lines
from training.bench.loops import SEED, fast_config, make_plain, make_trainer
from training.bench.measure import least_step_seconds, run_bench, step_work
from training.bench.page import GPU_COMMAND, page
from training.bench.page import main as write_page
from training.bench.pairs import Times
from training.cli import main
from training.config_file import load_config
from training.environment import make_reproducible

CPU = torch.device("cpu")
CASE = parse_case("3x16x24x4x14")


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    """Puts torch's global switches back."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    tf32, products = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32, products
    torch.utils.deterministic.fill_uninitialized_memory = True


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return run_bench([QUICK], CPU, rounds=2, threads=1, tell=lambda _: None, quick=True)


def test_plain_loop_and_ours_train_the_same_network() -> None:
    """The same losses and the same weights after an epoch of 4 steps, the last of them 2 samples; rounding apart."""
    split = random_split(CASE, seed=SEED)
    plain = make_plain(CASE, split, CPU, threads=1)
    trainer = make_trainer(preset_config(CASE, CPU, threads=1), split, split, CPU)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    torch.testing.assert_close(dict(plain.model.state_dict()), before, rtol=0, atol=0)
    assert plain.epoch() == pytest.approx(trainer.train_epoch(None).train_loss, rel=1e-6)
    after = dict(trainer.model.state_dict())
    torch.testing.assert_close(dict(plain.model.state_dict()), after, rtol=1e-5, atol=1e-6)
    assert not torch.equal(after["output.weight"], before["output.weight"])


def test_fresh_memory_is_left_as_it_is_and_nothing_reads_it() -> None:
    """The weights after two epochs are the same to the last bit whether torch fills fresh memory with NaN or not."""
    split, config = random_split(CASE, seed=SEED), preset_config(CASE, CPU, threads=1)
    found = []
    for fill in (True, False):
        trainer = make_trainer(config, split, split, CPU)
        make_reproducible(seed=SEED, threads=1, device=CPU)
        assert not torch.utils.deterministic.fill_uninitialized_memory
        torch.utils.deterministic.fill_uninitialized_memory = fill
        assert bool(torch.empty(1000).isnan().all()) == fill
        for _ in range(2):
            trainer.train_epoch(None)
        found.append(dict(trainer.model.state_dict()))
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)


def test_predictions_of_several_batches_are_those_of_one() -> None:
    """75 samples, which a CPU takes 32 at a time, beside one pass over all of them."""
    split = random_split(dataclasses.replace(CASE, samples=75), seed=SEED)
    trainer = make_trainer(preset_config(CASE, CPU, threads=1), split, split, CPU)
    batched = trainer.predict(split)
    with torch.no_grad():
        whole = trainer.model(split.frames, split.angles)
    assert batched.shape == (75,)
    torch.testing.assert_close(batched, whole, rtol=1e-5, atol=1e-6)


def test_the_preset_arithmetic_is_run4s() -> None:
    """What is timed as the presets is what run4 trains: network, loss, batch, precision."""
    timed, run4 = preset_config(parse_case("3x48x48x20x501"), CPU, threads=2), load_config("run4", [])
    own = {"run_name", "seed", "warmup_steps", "warmup_unit", "train_metrics_every"}
    assert {**timed.to_dict(), **dict.fromkeys(own)} == {**run4.to_dict(), **dict.fromkeys(own)}


def test_fast_settings_are_settings_and_leave_float32_on_a_cpu() -> None:
    names = {field.name for field in dataclasses.fields(preset_config(CASE, CPU, threads=1))}
    assert set(fast_settings(torch.device("cuda"))) <= names
    config = preset_config(CASE, CPU, threads=1)
    assert fast_config(config, CPU) == dataclasses.replace(config, channels_last=True)


def test_work_of_a_step_grows_with_the_batch() -> None:
    """Operations are per sample; the small rest, of the output layer's penalty and the like, is no product."""
    flops = []
    for batch in (4, 8):
        case = dataclasses.replace(CASE, batch=batch)
        split = random_split(case, seed=SEED)
        work = step_work(make_plain(case, split, CPU, threads=1), preset_config(case, CPU, threads=1), split)
        flops.append(work.flops)
    assert flops[1] == 2 * flops[0]


def test_step_is_its_share_of_the_least_epoch() -> None:
    """14 samples in batches of 4: 3.5 steps of full size. By the wall clock 7 s an epoch, by the processor 3.5 s."""
    times = Times(wall=(9.0, 7.0), processor=(3.5, 5.0))
    assert least_step_seconds(times, CASE, time.perf_counter) == 2.0
    assert least_step_seconds(times, CASE, time.process_time) == 1.0
    assert least_step_seconds(times, dataclasses.replace(CASE, batch=99), time.perf_counter) == 7.0


def test_document_holds_together(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["device"]["kind"] == "cpu"
    assert document["device"]["threads"] == 1
    assert document["clock"] == "processor"
    assert document["versions"]["torch"] == torch.__version__
    assert all(value > 0 for value in document["probes"].values())
    (case,) = document["cases"]
    assert case["case"] == dataclasses.asdict(QUICK)
    assert set(case["loops"]) == {"plain", "presets", "fast"}
    for loop in case["loops"].values():
        low, high = loop["epoch_seconds_range"]
        assert 0 < low <= loop["epoch_seconds"] <= high
        assert loop["samples_per_second"] == pytest.approx(QUICK.samples / loop["epoch_seconds"])
        assert loop["step_ms"] == pytest.approx(1000 * loop["epoch_seconds"] / 3)
        assert loop["first_epoch_loss"] == pytest.approx(case["loops"]["plain"]["first_epoch_loss"], rel=1e-4)
        assert not loop["settings"]["compiled"]
    assert case["loops"]["plain"]["times_plain"]["median"] == 1.0
    assert case["roofline"]["share"] == max(case["roofline"]["compute_share"], case["roofline"]["memory_share"])
    epoch, cost = case["epoch"], case["diagnostics"]
    assert epoch["epochs"] == 2
    assert epoch["experiment_seconds"] == pytest.approx(50 * epoch["epoch_seconds"])
    assert epoch["gpu_memory_gib"] is None
    # 3 steps: the gradient norms once, the total thrice, the weights' norm once.
    expected = cost["gradient_norms_seconds"] + 3 * cost["total_norm_seconds"] + cost["weight_norm_seconds"]
    assert cost["norms_seconds"] == pytest.approx(expected)
    assert cost["norms_share"] == pytest.approx(expected / epoch["epoch_seconds"])
    # The training split after epochs 25 and 50.
    spent = 50 * expected + 2 * cost["train_metrics_seconds"]
    assert cost["share"] == pytest.approx(spent / (50 * epoch["epoch_seconds"] + 2 * cost["train_metrics_seconds"]))


def _with(document: dict[str, Any], *, kind: str, name: str, low: float | None, seconds: float) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(document))
    changed["device"]["kind"] = kind
    case = changed["cases"][0]
    case["case"]["name"] = name
    case["loops"]["fast"]["times_plain"] |= {"median": 6.0, "low": low, "high": None if low is None else 7.0}
    case["epoch"]["experiment_seconds"] = seconds
    return changed


def test_goals_are_judged_on_a_gpu_at_the_sources_size_only(document: dict[str, Any]) -> None:
    """By the interval's lower end where there is one: a median above the goal alone is not enough."""
    gpu = {"kind": "cuda", "name": "source"}
    met = "\n".join(bench_lines(_with(document, **gpu, low=5.5, seconds=59.0)))
    assert f"goal {FAST_GOAL:g} × the plain loop or more: met; goal an experiment below 60 s: met." in met
    missed = "\n".join(bench_lines(_with(document, **gpu, low=4.9, seconds=60.0)))
    assert "the plain loop or more: missed; goal an experiment below 60 s: missed." in missed
    assert "loop or more: met" in "\n".join(bench_lines(_with(document, **gpu, low=None, seconds=60.0)))
    for kind, name in (("cpu", "source"), ("cuda", "example")):
        assert "On a GPU" not in "\n".join(bench_lines(_with(document, kind=kind, name=name, low=5.5, seconds=1.0)))


def test_page_says_that_there_is_no_gpu_figure_until_there_is_one(document: dict[str, Any]) -> None:
    text = page([document])
    assert "**No GPU figure exists yet.**" in text
    assert GPU_COMMAND in text
    both = page([document, _with(document, kind="cuda", name="source", low=5.5, seconds=59.0)])
    assert "No GPU figure" not in both
    assert "goal 5 × the plain loop or more: met" in both
    rate = document["cases"][0]["loops"]["plain"]["samples_per_second"]
    assert f"| plain loop | {rate:.1f} |" in text


def test_committed_page_is_what_the_committed_figures_give(repository: Path, tmp_path: Path) -> None:
    results = sorted((repository / "benchmarks" / "results").glob("training_*.json"))
    assert results
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in results]
    assert not any(document["quick"] for document in documents)
    write_page([*map(str, results), "--out", str(tmp_path / "page.md")])
    committed = (repository / "docs" / "training-performance.md").read_text(encoding="utf-8")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == committed


def test_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    size = ["--case", "2x8x8x2x3", "--case", "1x8x8x5x2"]
    assert (
        main(["bench", "--quick", "--device", "cpu", "--threads", "1", "--rounds", "1", *size, "--out", str(out)]) == 0
    )
    document = json.loads(out.read_text(encoding="utf-8"))
    assert [case["case"]["name"] for case in document["cases"]] == ["2x8x8x2x3", "1x8x8x5x2"]
    assert document["rounds"] == 1
    printed, told = capsys.readouterr()
    assert printed.startswith(f"cpu: {document['device']['name']}")
    assert "1 round\n" in printed
    assert "too few rounds to tell" in printed
    assert "figures mean nothing" in printed
    assert told.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rounds", "0"], "--rounds: found 0; expected 1 to"),
        (["--threads", "0"], "--threads: found 0; expected 1 to"),
        (["--case", "3x48"], "--case: found '3x48'; expected FRAMESx"),
        (["--out", "missing/folder/figures.json"], "expected a file in a folder that is there"),
        (["--out", "."], "expected a file in a folder that is there"),
    ],
)
def test_command_refuses_in_one_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--quick", *arguments]) == 2
    printed, told = capsys.readouterr()
    assert printed == ""
    assert told.startswith("error: ")
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there: nothing to refuse")
def test_command_refuses_cuda_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--device", "cuda"]) == 2
    assert "torch sees no CUDA device" in capsys.readouterr().err


def test_help_loads_no_torch() -> None:
    code = "import sys, training.cli as cli; cli.build_parser().format_help(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.gpu
def test_bench_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: the loops' figures on one are not taken here")
    lines: list[str] = []
    document = run_bench([QUICK], torch.device("cuda"), rounds=2, threads=1, tell=lines.append, quick=True)
    assert document["clock"] == "wall"
    assert set(document["probes"]) == {
        "matmul_fp32_flops_per_second",
        "matmul_bf16_flops_per_second",
        "copy_bytes_per_second",
    }
    (case,) = document["cases"]
    loops = case["loops"]
    assert loops["fast"]["settings"]["precision"] == "bf16"
    assert loops["fast"]["times_plain_processor"] is None
    assert loops["presets"]["first_epoch_loss"] == pytest.approx(loops["plain"]["first_epoch_loss"], rel=1e-2)
    assert loops["fast"]["first_epoch_loss"] == pytest.approx(loops["plain"]["first_epoch_loss"], rel=0.05)
    assert case["epoch"]["gpu_memory_gib"] > 0
    assert "No GPU figure" not in page([document])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
