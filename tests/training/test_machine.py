"""Precision, acceleration, reproducibility, diagnostics: the machine around the step."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from training.acceleration import accelerate
from training.config import Config, DataConfig
from training.data import Dataset, load_dataset
from training.diagnostics import GradientNorms, peak_memory_gib, weight_norm
from training.environment import make_reproducible
from training.errors import ConfigError
from training.loop import Trainer
from training.model import HeightNetwork
from training.precision import Precision

CPU = torch.device("cpu")
DATA = DataConfig(frame_height=16, frame_width=16, train_samples=41, val_samples=12, test_samples=12)


@pytest.fixture(autouse=True)
def _global_state() -> Iterator[None]:
    """Puts torch's global switches back."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    torch.backends.cudnn.benchmark = False


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return load_dataset(Config(data=DATA), CPU)


def _trainer(dataset: Dataset, device: torch.device = CPU, **settings: Any) -> Trainer:
    torch.manual_seed(0)
    config = Config(data=DATA, output_init_std=0.5, **settings)
    return Trainer(config, HeightNetwork(config, output_bias=0.9).to(device), dataset.train)


def _told() -> tuple[list[str], Any]:
    lines: list[str] = []
    return lines, lines.append


@pytest.mark.parametrize(("precision", "closeness"), [("bf16", 0.03), ("fp16", 0.005)])
def test_half_precision_trains_close_to_single(dataset: Dataset, precision: str, closeness: float) -> None:
    """bf16 has 8 bits of mantissa, fp16 11: relative roundings of 4e-3 and 5e-4 a product."""
    single, half = _trainer(dataset, warmup_steps=0), _trainer(dataset, warmup_steps=0, precision=precision)
    for _ in range(2):
        expected, found = single.train_epoch(None), half.train_epoch(None)
    assert found.train_loss == pytest.approx(expected.train_loss, rel=closeness)
    assert found.train_loss != expected.train_loss
    assert all(parameter.dtype == torch.float32 for parameter in half.model.parameters())
    outputs = half.predict(dataset.val)
    assert outputs.dtype == torch.float32
    torch.testing.assert_close(outputs, single.predict(dataset.val), rtol=0, atol=10 * closeness)


def test_a_step_of_half_precision_that_overflows_is_left_out(dataset: Dataset) -> None:
    trainer = _trainer(dataset, precision="fp16")
    assert trainer.precision.scaler is not None
    scale = trainer.precision.scaler.get_scale()
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    parameters = list(trainer.model.parameters())
    loss = trainer.model.output.weight.sum() * math.inf
    torch.autograd.backward(trainer.precision.scaled(loss))
    trainer.precision.step(trainer.optimizer, parameters, 1.0)
    assert trainer.precision.scaler.get_scale() == scale / 2
    torch.testing.assert_close(dict(trainer.model.state_dict()), before, rtol=0, atol=0)


def test_tf32_without_cuda_is_refused() -> None:
    with pytest.raises(ConfigError, match="found tf32, which needs CUDA"):
        Precision("tf32", CPU)


@pytest.mark.parametrize("settings", [{"channels_last": True}, {"gradient_checkpointing": True}])
def test_other_ways_to_run_the_encoder_give_the_same_epoch(dataset: Dataset, settings: dict[str, Any]) -> None:
    plain, other = _trainer(dataset), _trainer(dataset, **settings)
    assert not accelerate(other.model, other.config, other.trial)
    assert other.train_epoch(None).train_loss == pytest.approx(plain.train_epoch(None).train_loss, rel=1e-4)
    names = [name for name, _ in plain.model.named_parameters()]
    assert [name for name, _ in other.model.named_parameters()] == names
    torch.testing.assert_close(other.predict(dataset.val), plain.predict(dataset.val), rtol=1e-3, atol=1e-4)


def test_checkpointing_runs_the_encoder_again_in_the_backward_pass(dataset: Dataset) -> None:
    trainer = _trainer(dataset, gradient_checkpointing=True)
    accelerate(trainer.model, trainer.config, trainer.trial)
    calls: list[int] = []
    first = next(module for module in trainer.model.encoder.modules() if isinstance(module, nn.Conv2d))
    first.register_forward_hook(lambda *_: calls.append(1))
    loss = trainer.trial().sum()
    assert len(calls) == 1
    torch.autograd.backward(loss)
    assert len(calls) == 2
    trainer.predict(dataset.val)
    assert len(calls) == 3


def test_compiled_encoder_gives_the_same_epoch(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the tracer for real and its kernels left out: building those takes a C++ compiler and a minute."""
    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self, mode=None: original(self, backend="aot_eager"))
    plain, compiled = _trainer(dataset, variance_lambda=0.5), _trainer(dataset, variance_lambda=0.5, compile=True)
    lines, tell = _told()
    state = torch.get_rng_state()
    assert accelerate(compiled.model, compiled.config, compiled.trial, tell=tell)
    assert torch.equal(torch.get_rng_state(), state)
    assert lines == []
    expected, found = plain.train_epoch(None), compiled.train_epoch(None)
    assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-4)
    assert found.norms.mean("penalty") == pytest.approx(expected.norms.mean("penalty"), rel=1e-3)
    torch.testing.assert_close(compiled.predict(dataset.val), plain.predict(dataset.val), rtol=1e-3, atol=1e-4)
    assert set(compiled.model.state_dict()) == set(plain.model.state_dict())


def test_what_cannot_be_compiled_trains_uncompiled(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no compiler found\nand a page of hints")

    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self, mode=None: original(self, backend=broken))
    plain, trainer = _trainer(dataset), _trainer(dataset, compile=True, cuda_graphs=True)
    lines, tell = _told()
    assert not accelerate(trainer.model, trainer.config, trainer.trial, tell=tell)
    assert len(lines) == 2
    assert lines[0].startswith("cuda_graphs: the run is not on CUDA")
    assert lines[1].startswith("compile: not possible here (")
    assert lines[1].endswith("training uncompiled")
    assert "\n" not in lines[1]
    assert trainer.train_epoch(None).train_loss == plain.train_epoch(None).train_loss


def test_a_network_without_encoder_cannot_be_compiled() -> None:
    with pytest.raises(ConfigError, match="gradient_checkpointing: this network has no encoder"):
        accelerate(nn.Linear(1, 1), Config(gradient_checkpointing=True), lambda: torch.zeros(1))


def test_deterministic_can_be_switched_off() -> None:
    for wanted in (False, True):
        make_reproducible(seed=0, threads=1, device=CPU, deterministic=wanted)
        assert torch.are_deterministic_algorithms_enabled() is wanted
        assert torch.backends.cudnn.benchmark is not wanted


class _Reads(TorchDispatchMode):
    """Counts values read back from a tensor, which on a device would make the host wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.counting = True

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), settings: Any = None) -> Any:
        if self.counting and function is torch.ops.aten._local_scalar_dense.default:
            self.count += 1
        return function(*arguments, **(settings or {}))


@pytest.mark.parametrize(
    "settings",
    [{}, {"variance_lambda": 0.5, "gradient_every": 1}, {"precision": "bf16", "gradient_clip": None}],
)
def test_no_step_reads_from_the_device(dataset: Dataset, settings: dict[str, Any]) -> None:
    """As many values are read in an epoch of 21 steps as in one of 3. The optimizer counts its steps on the CPU, which
    costs a device nothing: its own reads are left out."""
    counts = []
    for batch_size in (2, 20):
        trainer = _trainer(dataset, batch_size=batch_size, **settings)
        reads = _Reads()
        step = trainer.optimizer.step

        def uncounted(*arguments: Any, reads: _Reads = reads, step: Any = step, **others: Any) -> None:
            reads.counting = False
            step(*arguments, **others)
            reads.counting = True

        trainer.optimizer.step = uncounted  # type: ignore[method-assign]
        with reads:
            trainer.train_epoch(None)
        counts.append(reads.count)
    assert counts[0] == counts[1] <= 4


def test_the_counter_of_reads_counts() -> None:
    with _Reads() as reads:
        float(torch.ones(3).sum())
    assert reads.count == 1


def test_weight_norm_is_numpys() -> None:
    parameters = [nn.Parameter(torch.tensor([[3.0, -1.0]])), nn.Parameter(torch.tensor([2.0]))]
    flat = np.concatenate([parameter.detach().numpy().ravel() for parameter in parameters])
    assert float(weight_norm(parameters)) == pytest.approx(np.linalg.norm(flat))
    assert float(weight_norm([])) == 0.0


def test_ratio_of_gradient_norms() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 1.0]))
    norms = GradientNorms(every=1)
    norms.measure(2.0 * weight.sum(), (weight * torch.tensor([3.0, 4.0])).sum(), weight)
    assert norms.ratio() == pytest.approx(5.0 / math.sqrt(8.0))
    alone = GradientNorms(every=1)
    alone.measure(weight.sum(), None, weight)
    assert alone.ratio() is None
    flat = GradientNorms(every=1)
    flat.measure(0.0 * weight.sum(), weight.sum(), weight)
    assert flat.ratio() is None


def test_there_is_no_gpu_memory_on_a_cpu() -> None:
    assert peak_memory_gib(CPU) is None


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_no_step_waits_for_the_gpu(precision: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: whether a step waits for one is not seen here")
    device = torch.device("cuda")
    split = load_dataset(Config(data=DATA), device)
    trainer = _trainer(split, device, precision=precision, variance_lambda=0.5)
    trainer.train_epoch(None)
    batch = torch.arange(20, device=device)
    norms = GradientNorms(every=1)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(2):
            trainer._step(batch, None, norms)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert norms.mean("base") is not None


@pytest.mark.gpu
def test_compiled_graphs_on_the_gpu_give_the_same_epoch() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: graphs are not exercised here")
    device = torch.device("cuda")
    split = load_dataset(Config(data=DATA), device)
    plain, graphed = _trainer(split, device), _trainer(split, device, compile=True, cuda_graphs=True)
    assert accelerate(graphed.model, graphed.config, graphed.trial)
    expected: Tensor = plain.predict(split.val)
    assert graphed.train_epoch(None).train_loss == pytest.approx(plain.train_epoch(None).train_loss, rel=1e-3)
    assert graphed.predict(split.val).shape == expected.shape
