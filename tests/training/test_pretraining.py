"""Self-supervised pretraining: what is hidden, what is learnt, when it stops, and what is carried over."""

import math
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from training.config import Config
from training.config_file import parse_config
from training.data import Dataset, load_dataset
from training.data.dataset import Split
from training.errors import ConfigError
from training.loop import Trainer
from training.model import HeightNetwork, make_network
from training.model.encoder import FrameEncoder
from training.pretraining import Plan, check_pretraining, plan_for, pretrain, pretrain_encoder
from training.pretraining.masking import hidden_patches
from training.pretraining.pretrain import last_of_each_group
from training.pretraining.reconstruction import Reconstructor

CPU = torch.device("cpu")
DATA = {"frame_height": 16, "frame_width": 16, "train_samples": 40, "val_samples": 8, "test_samples": 8, "noise": 0.3}


def _config(**settings: Any) -> Config:
    return parse_config(
        {"pretraining": "masked", "pretraining_epochs": 3, "pretraining_patch": 4, "data": DATA, **settings}
    )


def _flights(config: Config) -> Dataset:
    return load_dataset(config, CPU)


def _model(config: Config, train: Split) -> HeightNetwork:
    torch.manual_seed(0)
    model = make_network(config, train, output_bias=0.0)
    assert isinstance(model, HeightNetwork)
    return model


def _weights(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(("height", "width", "patch", "share", "hidden"), [
    (16, 16, 4, 0.5, 8), (16, 24, 8, 0.5, 3), (16, 16, 4, 0.01, 1), (16, 16, 4, 0.99, 15), (16, 8, 8, 0.9, 1),
])  # fmt: skip
def test_the_share_of_patches_is_hidden_in_every_frame(
    height: int, width: int, patch: int, share: float, hidden: int
) -> None:
    mask = hidden_patches((5, 3, height, width), patch=patch, share=share, generator=torch.Generator().manual_seed(0))
    blocks = mask.view(5, 3, height // patch, patch, width // patch, patch).float().mean(dim=(3, 5))
    assert set(blocks.flatten().tolist()) <= {0.0, 1.0}  # whole patches
    assert (blocks.sum(dim=(2, 3)) == hidden).all()
    if 1 < hidden < 15:
        assert not torch.equal(mask[:, 0], mask[:, 1])  # frames hide different patches


def test_patches_at_the_far_edges_are_cut_off() -> None:
    mask = hidden_patches((2, 1, 10, 13), patch=8, share=0.5, generator=torch.Generator().manual_seed(1))
    assert mask.shape == (2, 1, 10, 13)
    corners = mask[:, 0][:, [0, 0, 9, 9], [0, 12, 0, 12]]
    assert corners.sum(dim=1).tolist() == [2, 2]


def _reconstructor(motion: bool = True) -> Reconstructor:
    torch.manual_seed(0)
    return Reconstructor(FrameEncoder(channels=2 if motion else 1, size=8), motion=motion)


def test_hidden_pixels_reach_nothing_but_the_loss() -> None:
    """With its statistics held, the content of a hidden pixel changes no prediction: the encoder never sees it."""
    network = _reconstructor()
    seen = torch.randn(2, 3, 16, 16)
    hidden = hidden_patches((2, 3, 16, 16), patch=4, share=0.5, generator=torch.Generator().manual_seed(0))
    swapped = torch.where(hidden, torch.randn_like(seen), seen)
    before = network(seen.masked_fill(hidden, 0.0))
    torch.testing.assert_close(network(swapped.masked_fill(hidden, 0.0)), before)
    assert before.shape == seen.shape


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (8, 30)])
def test_loss_is_the_mean_over_hidden_pixels(size: tuple[int, int]) -> None:
    network = _reconstructor(motion=False)
    frames = 5.0 + 2.0 * torch.randn(3, 2, *size)
    hidden = hidden_patches((3, 2, *size), patch=4, share=0.5, generator=torch.Generator().manual_seed(0))
    raw = frames.double().numpy()
    whole = (raw - raw.mean(axis=(1, 2, 3), keepdims=True)) / raw.std(axis=(1, 2, 3), keepdims=True)
    shown = torch.from_numpy(np.where(hidden.numpy(), 0.0, whole)).float()
    squared = (network(shown).detach().double().numpy() - whole) ** 2
    assert float(network.loss(frames, hidden).detach()) == pytest.approx(
        float(squared[hidden.numpy()].mean()), rel=1e-4
    )
    # To say a sample's mean everywhere costs about its variance, 1.
    torch.nn.init.zeros_(network.decoder[0].weight)
    torch.nn.init.zeros_(network.decoder[0].bias)
    assert float(network.loss(frames, hidden).detach()) == pytest.approx(
        float((whole**2)[hidden.numpy()].mean()), rel=1e-4
    )


def test_the_loss_falls_and_the_targets_play_no_part() -> None:
    config = _config(pretraining_epochs=8, pretraining_learning_rate=0.003)
    train = _flights(config).train
    model, other = _model(config, train), _model(config, train)
    result = pretrain(config, model, train)
    assert result is not None
    assert result.heldout_loss is not None
    assert result.heldout_loss_start is not None
    assert result.heldout_loss < 0.9 * result.heldout_loss_start
    blind = Split(
        frames=train.frames,
        angles=train.angles,
        target=torch.full_like(train.target, math.nan),
        local_indices=train.local_indices,
        flight=train.flight,
        flight_names=train.flight_names,
    )
    assert pretrain(config, other, blind) == result
    for name, value in _weights(other.encoder).items():
        assert torch.equal(value, _weights(model.encoder)[name]), name


def test_held_out_are_the_last_of_each_group() -> None:
    config = _config()
    train = _flights(config).train  # four flights of ten samples
    rows, held = last_of_each_group(train, 0.2)
    assert held.tolist() == [8, 9, 18, 19, 28, 29, 38, 39]
    assert sorted(rows.tolist() + held.tolist()) == list(range(40))
    everything, nothing = last_of_each_group(train, 0.0)
    assert (everything.tolist(), nothing.tolist()) == (list(range(40)), [])
    single = train.select(torch.tensor([0, 10, 11]))
    assert [part.tolist() for part in last_of_each_group(single, 0.5)] == [[0, 1], [2]]


def test_stops_by_patience_and_keeps_the_best_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The held-out losses are given, so that the outcome is known: epoch 2 is best, the patience of 2 ends at 4."""
    config = _config(pretraining_epochs=9, pretraining_patience=2)
    train = _flights(config).train
    losses = iter([1.0, 0.9, 0.5, 0.6, math.nan])
    seen: list[dict[str, Tensor]] = []

    def evaluated(network: Reconstructor, *_: Any) -> float:
        seen.append(_weights(network.encoder))
        return next(losses)

    monkeypatch.setattr(import_module("training.pretraining.pretrain"), "_evaluate", evaluated)
    model = _model(config, train)
    result = pretrain(config, model, train)
    assert result is not None
    assert (result.epochs_run, result.selected_epoch, result.stopped_because) == (4, 2, "patience")
    assert (result.heldout_loss_start, result.heldout_loss) == (1.0, 0.5)
    for name, value in _weights(model.encoder).items():
        assert torch.equal(value, seen[2][name])
    assert not torch.equal(seen[2]["layers.0.weight"], seen[4]["layers.0.weight"])


def test_the_broken_variant_sees_one_frame_and_never_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    config = _config(pretraining="broken_ssl", pretraining_epochs=4, pretraining_patience=1)
    train = _flights(config).train
    shapes = set()
    original = Reconstructor.forward

    def watched(self: Reconstructor, seen: Tensor) -> Tensor:
        shapes.add(tuple(seen.shape[1:]))
        return original(self, seen)

    monkeypatch.setattr(Reconstructor, "forward", watched)
    model = _model(config, train)
    result = pretrain(config, model, train)
    assert result is not None
    assert shapes == {(1, 16, 16)}
    assert (result.frames_seen, result.train_samples, result.heldout_samples) == (1, 40, 0)
    assert (result.epochs_run, result.selected_epoch, result.stopped_because) == (4, 4, "max_epochs")
    assert (result.heldout_loss, result.heldout_loss_start) == (None, None)
    # What comes after the first frame plays no part.
    other = _model(config, train)
    frames = train.frames.clone()
    frames[:, 1:] = torch.randn_like(frames[:, 1:])
    changed = Split(
        frames=frames,
        angles=train.angles,
        target=train.target,
        local_indices=train.local_indices,
        flight=train.flight,
        flight_names=train.flight_names,
    )
    pretrain(config, other, changed)
    for name, value in _weights(model.encoder).items():
        assert torch.equal(value, _weights(other.encoder)[name])


@pytest.mark.parametrize("kind", ["masked", "broken_ssl"])
@pytest.mark.parametrize("freeze", [False, True])
def test_the_encoder_is_carried_over(kind: str, freeze: bool) -> None:
    """At step 0 the model's encoder is the pretrained one; frozen, its convolutions are so after training too."""
    config = _config(pretraining=kind, freeze_encoder=freeze, learning_rate=0.01, warmup_steps=0)
    train = _flights(config).train
    alone = _model(replace(config, freeze_encoder=False), train)
    fresh = _weights(alone)
    pretrain_encoder(alone.encoder, train, plan_for(config), kind=kind, motion=True)
    model = _model(config, train)
    pretrain(config, model, train)
    start = _weights(model)
    for name, value in _weights(alone.encoder).items():
        assert torch.equal(value, start[f"encoder.{name}"]), name
    assert not torch.equal(start["encoder.layers.0.weight"], fresh["encoder.layers.0.weight"])
    # Nothing but the encoder was touched.
    assert all(torch.equal(start[name], fresh[name]) for name in fresh if not name.startswith("encoder."))
    Trainer(config, model, train).train_epoch(None)
    after = _weights(model)
    same = [torch.equal(after[name], start[name]) for name in start if name.startswith("encoder.layers")]
    assert all(same) if freeze else not any(same)


def test_the_run_draws_the_same_numbers_with_and_without() -> None:
    config = _config()
    train = _flights(config).train
    model = _model(config, train)
    torch.manual_seed(7)
    pretrain(config, model, train)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(3))


def test_a_diverging_pretraining_leaves_the_encoder_as_it_started() -> None:
    config = _config()
    train = _flights(config).train
    model = _model(config, train)
    before = _weights(model.encoder)
    plan = Plan(
        first_frame_only=False,
        holdout=0.2,
        epochs=2,
        patience=5,
        learning_rate=1e30,
        batch_size=10,
        mask=0.5,
        patch=4,
        seed=0,
    )
    result = pretrain_encoder(model.encoder, train, plan, kind="masked", motion=True)
    assert result.selected_epoch is None
    for name, value in _weights(model.encoder).items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "cnn"}, "pretraining: masked needs model: attention"),
        ({"pretraining_patch": 16}, "pretraining_patch: found 16; expected less than 16"),
    ],
)
def test_what_cannot_be_pretrained(settings: dict[str, Any], message: str) -> None:
    config = _config(**settings)
    with pytest.raises(ConfigError, match=message):
        check_pretraining(config, _flights(config).train)


def test_nothing_to_hold_out() -> None:
    config = _config()
    train = _flights(config).train.select(torch.tensor([0, 10, 20]))
    with pytest.raises(ConfigError, match="no group here has two"):
        check_pretraining(config, train)
    check_pretraining(_config(pretraining="broken_ssl"), train)
