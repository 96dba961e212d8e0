"""The kinds of networks: shapes, what they can see, and what they refuse."""

import numpy as np
import pytest
import torch
from torch import Tensor

from training.config import Config
from training.config_file import parse_config
from training.data.dataset import Split
from training.errors import ConfigError
from training.loop import Trainer
from training.model import Network, make_network
from training.model.attention import AttentionPooling
from training.model.encoder import FrameEncoder
from training.model.multi_scale import MultiScaleAttention


def _split(frames: Tensor, angles: int = 2) -> Split:
    count = len(frames)
    return Split(
        frames=frames,
        angles=torch.rand(count, angles),
        target=torch.rand(count),
        local_indices=torch.arange(count),
        flight=torch.zeros(count, dtype=torch.int64),
        flight_names=("a",),
    )


def _network(frames: Tensor, *, angles: int = 2, bias: float | Tensor = 0.9, **settings: object) -> Network:
    torch.manual_seed(0)
    data = {} if angles else {"data": {"kind": "npz"}}
    config = parse_config({"temporal_frames": frames.shape[1] if frames.dim() == 4 else 1, **data, **settings})
    return make_network(config, _split(frames, angles), output_bias=bias).eval()


@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize("angles", [0, 2])
@pytest.mark.parametrize("kind", ["attention", "cnn"])
@pytest.mark.parametrize("variant", [{}, {"spatial_attention": True, "temporal_attention": "multi_scale"}])
def test_one_number_a_sample(frames: int, angles: int, kind: str, variant: dict[str, object]) -> None:
    batch = torch.randn(3, frames, 17, 24)
    model = _network(batch, angles=angles, model=kind, **variant)
    assert model(batch, torch.rand(3, angles)).shape == (3,)
    # Alone as in its batch.
    at = torch.rand(3, angles)
    torch.testing.assert_close(model(batch, at)[1:2], model(batch[1:2], at[1:2]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["attention", "cnn", "mlp"])
def test_several_outputs_start_at_their_biases(kind: str) -> None:
    batch = torch.randn(4, 5) if kind == "mlp" else torch.randn(4, 2, 8, 8)
    model = _network(batch, model=kind, output_init_std=0.0, bias=torch.tensor([0.1, 0.5, 0.9]))
    outputs = model(batch, torch.rand(4, 2))
    torch.testing.assert_close(outputs, torch.tensor([[0.1, 0.5, 0.9]]).expand(4, 3))


def test_spatial_attention_is_a_softmax_over_places() -> None:
    torch.manual_seed(3)
    encoder = FrameEncoder(channels=1, size=8, spatial_attention=True)
    frames = torch.randn(2, 1, 16, 24)
    assert encoder.pool is not None
    maps = encoder.layers(frames).detach().numpy()  # (2, 8, 2, 3)
    state = {name: value.numpy() for name, value in encoder.pool.state_dict().items()}
    flat = maps.reshape(2, 8, 6)
    hidden = np.tanh(np.einsum("os,nsp->nop", state["score.0.weight"], flat) + state["score.0.bias"][:, None])
    score = np.einsum("o,nop->np", state["score.2.weight"][0], hidden) + state["score.2.bias"]
    weights = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    pooled = np.einsum("np,nsp->ns", weights, flat)
    centred = pooled - pooled.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt(centred.var(axis=1, keepdims=True) + 1e-5)  # the layer norm as it starts
    np.testing.assert_allclose(encoder(frames).detach().numpy(), expected, atol=1e-4)


def test_multi_scale_attention_sees_the_order_and_single_scale_does_not() -> None:
    torch.manual_seed(1)
    vectors, turned = torch.randn(2, 7, 6), torch.tensor([6, 5, 4, 3, 2, 1, 0])
    single, several = AttentionPooling(size=6), MultiScaleAttention(size=6)
    torch.testing.assert_close(single(vectors), single(vectors[:, turned]))
    assert several(vectors).shape == (2, 6)
    assert (several(vectors) - several(vectors[:, turned])).abs().max() > 1e-3
    assert several(vectors[:, :1]).shape == (2, 6)


def test_the_widest_scale_looks_over_five_frames() -> None:
    """One frame's change reaches the look at a frame two away, and no further; from the gradient of the convolutions."""
    torch.manual_seed(2)
    several = MultiScaleAttention(size=4)
    for look, reach in zip(several.looks, (0, 1, 2), strict=True):
        along = torch.randn(1, 4, 9, requires_grad=True)
        (gradient,) = torch.autograd.grad(look(along)[0, :, 4].sum(), along)
        touched = gradient[0].abs().sum(dim=0).nonzero()[:, 0].tolist()
        assert touched == list(range(4 - reach, 4 + reach + 1))


def test_table_columns_are_standardised_by_the_training_split() -> None:
    rng = np.random.default_rng(4)
    table = np.column_stack((rng.normal(1e4, 3.0, 50), rng.normal(-0.2, 1e-3, 50), np.full(50, 7.0)))
    frames = torch.from_numpy(table.astype(np.float32))
    model = _network(frames, model="mlp", hidden_size=16, hidden_layers=1)
    state = model.state_dict()
    single = table.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(state["input_mean"], single.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(state["input_std"], [*single[:, :2].std(axis=0, ddof=0), 1.0], rtol=1e-6)
    # One layer by hand: standardise, GELU(W z + b), output.
    z = (single - single.mean(axis=0)) / np.array([*single[:, :2].std(axis=0), 1.0])
    hidden = torch.nn.functional.gelu(torch.from_numpy(z).float() @ state["layers.0.weight"].T + state["layers.0.bias"])
    expected = hidden @ state["output.weight"][0] + state["output.bias"][0]
    torch.testing.assert_close(model(frames, torch.zeros(50, 0)), expected, atol=2e-4, rtol=0)


def test_hidden_layers_of_the_table_network() -> None:
    model = _network(torch.randn(9, 3), model="mlp", hidden_size=5, hidden_layers=3)
    widths = [layer.weight.shape for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    assert widths == [(5, 3), (5, 5), (5, 5), (1, 5)]


@pytest.mark.parametrize(
    ("frames", "settings", "message"),
    [
        (torch.randn(4, 3), {"model": "attention"}, r"attention takes frames; .* use model: mlp"),
        (torch.randn(4, 3), {"model": "cnn"}, r"cnn takes frames"),
        (torch.randn(4, 1, 8, 8), {"model": "mlp"}, r"mlp takes the columns of a table"),
        (torch.randn(4, 3), {"model": "mlp", "freeze_encoder": True}, r"mlp has no encoder to freeze"),
    ],
)
def test_networks_that_do_not_fit(frames: Tensor, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _network(frames, **settings)


@pytest.mark.parametrize("kind", ["attention", "cnn"])
def test_a_frozen_encoder_keeps_still_and_the_rest_learns(kind: str) -> None:
    split = _split(torch.randn(12, 3, 16, 16))
    config = Config(model=kind, freeze_encoder=True, spatial_attention=True, learning_rate=0.01, warmup_steps=0)
    torch.manual_seed(0)
    model = make_network(config, split, output_bias=0.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = Trainer(config, model, split)
    trainer.train_epoch(None)
    still = {name for name, value in model.state_dict().items() if torch.equal(value, before[name])}
    frozen = {name for name in before if name.startswith("encoder.layers")}
    assert len(frozen) == 8
    assert frozen <= still
    # A score's last bias shifts all places alike, and a softmax does not see that: only rounding could move it.
    assert not {name for name in still - frozen if not name.endswith("score.2.bias")}
