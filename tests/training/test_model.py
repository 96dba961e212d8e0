"""The network's shapes, start and symmetries."""

import math

import pytest
import torch

from training.augmentation import mirror_across, mirror_randomly, mirror_time
from training.config import Config, DataConfig
from training.data.flights import TEST_FLIGHT, simulate_flight
from training.model import HeightNetwork
from training.model.attention import AttentionPooling
from training.model.encoder import frame_channels


def _network(**settings: object) -> HeightNetwork:
    torch.manual_seed(0)
    return HeightNetwork(Config(**settings), output_bias=0.9).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("frames", [1, 2, 9])
@pytest.mark.parametrize("motion", [True, False])
def test_one_number_a_sample(frames: int, motion: bool) -> None:
    model = _network(temporal_frames=frames, motion_channel=motion)
    assert model(torch.randn(3, frames, 16, 24), torch.zeros(3, 2)).shape == (3,)


def test_the_output_starts_as_configured() -> None:
    model = _network(output_init_std=0.5, hidden_size=4096)
    assert float(model.output.weight.detach().std()) == pytest.approx(0.5, rel=0.05)
    assert model.output.bias.tolist() == pytest.approx([0.9])
    constant = _network(output_init_std=0.0)
    assert constant(torch.randn(2, 3, 16, 16), torch.zeros(2, 2)).tolist() == pytest.approx([0.9, 0.9])


def test_a_sample_does_not_depend_on_its_batch() -> None:
    model = _network()
    frames, angles = torch.randn(5, 3, 16, 16), torch.rand(5, 2)
    torch.testing.assert_close(model(frames, angles)[2:3], model(frames[2:3], angles[2:3]), atol=1e-5, rtol=0)


def test_brightness_and_contrast_of_a_sample_play_no_part() -> None:
    model = _network()
    frames, angles = torch.randn(4, 3, 16, 16), torch.rand(4, 2)
    torch.testing.assert_close(model(3.0 * frames + 7.0, angles), model(frames, angles), atol=1e-4, rtol=0)


def test_a_constant_frame_gives_a_finite_number() -> None:
    assert torch.isfinite(_network()(torch.ones(2, 3, 16, 16), torch.zeros(2, 2))).all()


def test_motion_channel_is_the_change_over_time() -> None:
    frames = torch.randn(2, 4, 8, 8)
    channels = frame_channels(frames, motion=True)
    spread = frames.std(dim=(1, 2, 3), correction=0)[:, None, None]
    torch.testing.assert_close(channels[:, 1, 1], (frames[:, 2] - frames[:, 0]) / spread)
    torch.testing.assert_close(channels[:, 3, 1], (frames[:, 3] - frames[:, 2]) / spread)
    assert torch.count_nonzero(frame_channels(frames[:, :1], motion=True)[:, 0, 1]) == 0


def test_attention_is_a_weighted_mean_without_order() -> None:
    torch.manual_seed(1)
    attention = AttentionPooling(size=6)
    vectors = torch.randn(2, 5, 6)
    pooled = attention(vectors)
    torch.testing.assert_close(pooled, attention(vectors[:, [3, 1, 4, 0, 2]]))
    assert (pooled <= vectors.amax(dim=1) + 1e-6).all()
    assert (pooled >= vectors.amin(dim=1) - 1e-6).all()
    same = vectors[:, :1].expand(2, 5, 6)
    torch.testing.assert_close(attention(same), same[:, 0])


def test_mirrored_flights_obey_the_same_physics() -> None:
    """Mirrored in time, the clouds of a registered flight still move against the flight direction, by as much."""
    config = DataConfig(noise=0.0, frame_width=64)
    flight = simulate_flight(TEST_FLIGHT, count=40, frames=3, config=config, seed=3, device=torch.device("cpu"))
    high = flight.frames[flight.target > 1.6]

    def drift(frames: torch.Tensor) -> int:
        change = frames[:, 1:] - frames[:, :-1]
        lags = range(-5, 6)
        inner = change[:, 0, :, 8:-8]
        likeness = [float((inner * change[:, 1, :, 8 + lag : 56 + lag]).mean()) for lag in lags]
        return lags[int(torch.tensor(likeness).argmax())]

    angles = torch.zeros(len(high), 2)
    assert drift(high) == pytest.approx(-2, abs=1)  # 0.2 km/s · 1.75/(5 - 1.75) = 2.2 pixels of 50 m
    assert drift(mirror_time(high, angles)[0]) == drift(high)
    assert drift(mirror_across(high, angles)[0]) == drift(high)


def test_mirroring_turns_the_sun() -> None:
    """The sun's direction as a vector: across the track its y turns round; in time its x does."""
    frames, angles = torch.randn(3, 3, 8, 8), torch.tensor([[0.5, 0.3], [0.6, 2.0], [0.7, 5.0]])
    across, time = mirror_across(frames, angles)[1], mirror_time(frames, angles)[1]
    torch.testing.assert_close(across[:, 1].cos(), angles[:, 1].cos())
    torch.testing.assert_close(across[:, 1].sin(), -angles[:, 1].sin())
    torch.testing.assert_close(time[:, 1].cos(), -angles[:, 1].cos(), atol=1e-6, rtol=0)
    torch.testing.assert_close(time[:, 1].sin(), angles[:, 1].sin(), atol=1e-6, rtol=0)
    assert math.isclose(float(across[0, 0]), 0.5, rel_tol=1e-6)


def test_random_mirroring_makes_all_four_variants() -> None:
    frames, angles = torch.randn(1, 2, 8, 8), torch.tensor([[0.5, 0.3]])
    generator = torch.Generator().manual_seed(0)
    seen = {round(float(mirror_randomly(frames, angles, generator)[1][0, 1]), 3) for _ in range(60)}
    assert seen == {0.3, -0.3, round(math.pi - 0.3, 3), round(math.pi + 0.3, 3)}
