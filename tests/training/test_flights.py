"""The simulated flights: distribution, reproducibility, and that height can be read off the frames without a network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from training.config import Config, DataConfig
from training.data import load_dataset
from training.data.flights import TEST_FLIGHT, TRAINING_FLIGHTS, VALIDATION_FLIGHT, Flight, simulate_flight
from training.data.heights import HIGHEST_KM, LOWEST_KM, autoregressive, flight_heights, quantile_map
from training.data.rendering import Scene, render_frames
from training.data.textures import cover_mask, random_texture, sample_periodic

CPU = torch.device("cpu")
SMALL = DataConfig(frame_height=16, frame_width=16, train_samples=24, val_samples=10, test_samples=10)


def test_autoregressive_series_has_the_asked_correlation_and_variance() -> None:
    series = autoregressive(1500, 0.9, torch.Generator().manual_seed(1)).numpy()
    innovations = series[1:] - 0.9 * series[:-1]
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.9, abs=0.03)
    assert innovations.std(ddof=0) == pytest.approx(np.sqrt(1 - 0.81), rel=0.05)
    assert np.corrcoef(innovations[1:], innovations[:-1])[0, 1] == pytest.approx(0.0, abs=0.08)


def test_quantile_map_is_linear_interpolation() -> None:
    knots = ((0.0, 0.15), (0.3, 0.7), (0.8, 0.9), (1.0, 1.95))
    share = torch.linspace(0, 1, 101, dtype=torch.float64)
    expected = np.interp(share.numpy(), [k[0] for k in knots], [k[1] for k in knots])
    np.testing.assert_allclose(quantile_map(share, knots).numpy(), expected, atol=1e-12)


def test_test_flight_has_the_published_distribution() -> None:
    """Published: mean 0.937, std 0.4827, 3, 18, 75, 15 and 33 samples below 0.4, 0.6, 0.8, 1.0 and above."""
    heights = flight_heights(
        144, knots=TEST_FLIGHT.heights, coefficient=0.96, generator=torch.Generator().manual_seed(3)
    ).numpy()
    counts = np.histogram(heights, [0.0, 0.4, 0.6, 0.8, 1.0, 2.0])[0]
    assert np.abs(counts - [3, 18, 75, 15, 33]).max() <= 1
    assert heights.mean() == pytest.approx(0.937, abs=0.02)
    assert heights.std(ddof=0) == pytest.approx(0.4827, abs=0.02)
    assert heights.min() >= LOWEST_KM
    assert heights.max() <= HIGHEST_KM


def test_heights_are_autocorrelated_near_nine_tenths() -> None:
    def lag_one(flight: Flight, seed: int) -> float:
        heights = flight_heights(
            144,
            knots=flight.heights,
            coefficient=DataConfig().autocorrelation,
            generator=torch.Generator().manual_seed(seed),
        ).numpy()
        return float(np.corrcoef(heights[1:], heights[:-1])[0, 1])

    flights = (*TRAINING_FLIGHTS, VALIDATION_FLIGHT, TEST_FLIGHT)
    means = [np.mean([lag_one(flight, seed) for seed in range(40)]) for flight in flights]
    assert np.mean(means) == pytest.approx(0.9, abs=0.03)
    assert min(means) > 0.8


def test_texture_is_standardised_and_band_limited() -> None:
    texture = random_texture(
        128, slope=1.5, longest_wavelength_cells=32.0, generator=torch.Generator().manual_seed(0)
    ).numpy()
    power = np.abs(np.fft.fft2(texture)) ** 2
    k = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    outside = power[(k > 0.2501) | (k < 1 / 32.01)].sum()
    assert texture.mean() == pytest.approx(0.0, abs=1e-5)
    assert texture.std(ddof=0) == pytest.approx(1.0, abs=1e-5)
    assert outside / power.sum() < 1e-6


def test_cover_mask_covers_the_asked_fraction() -> None:
    field = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    mask = cover_mask(field, fraction=0.3, softness=0.01)
    assert float(mask.mean()) == pytest.approx(0.3, abs=0.01)


def test_periodic_sampling_agrees_with_scipy_and_wraps() -> None:
    from scipy.ndimage import map_coordinates

    texture = torch.randn(1, 32, 32, generator=torch.Generator().manual_seed(0))
    points = torch.rand(2, 5, 7, generator=torch.Generator().manual_seed(1)) * 6.0 - 3.0  # km; the torus is 0.8 km
    values = sample_periodic(texture, points[0], points[1], cell_km=0.025)[0]
    cells = points.double().numpy() / 0.025
    expected = map_coordinates(texture[0].double().numpy(), [cells[1], cells[0]], order=1, mode="grid-wrap")
    np.testing.assert_allclose(values.numpy(), expected, atol=2e-3)


def test_splits_have_the_asked_sizes_and_share_no_flight() -> None:
    config = Config(temporal_frames=2, data=SMALL)
    dataset = load_dataset(config, CPU)
    assert [len(split) for split in dataset.splits().values()] == [24, 10, 10]
    assert dataset.train.frames.shape == (24, 2, 16, 16)
    names = [set(split.names()) for split in dataset.splits().values()]
    assert names[0] == {"flight_a", "flight_b", "flight_c", "flight_d"}
    assert len(names[0] | names[1] | names[2]) == 6
    assert dataset.test.local_indices.tolist() == list(range(10))


def test_default_sizes_are_the_sources() -> None:
    config = DataConfig()
    assert (config.train_samples, config.val_samples, config.test_samples) == (501, 144, 144)


def test_same_seed_same_flight_other_seed_other_flight() -> None:
    flights = [
        simulate_flight(TEST_FLIGHT, count=12, frames=3, config=SMALL, seed=seed, device=CPU) for seed in (5, 5, 6)
    ]
    assert torch.equal(flights[0].frames, flights[1].frames)
    assert torch.equal(flights[0].target, flights[1].target)
    assert not torch.equal(flights[0].frames, flights[2].frames)


def test_more_frames_show_the_same_heights_and_places() -> None:
    quiet = DataConfig(frame_height=16, frame_width=16, noise=0.0)
    three, five = (
        simulate_flight(TEST_FLIGHT, count=12, frames=frames, config=quiet, seed=5, device=CPU) for frames in (3, 5)
    )
    assert torch.equal(three.target, five.target)
    torch.testing.assert_close(three.frames, five.frames[:, 1:4], atol=1e-4, rtol=0)


def test_registered_surface_stands_still_and_raw_surface_moves_four_pixels() -> None:
    """With the clouds hidden only the surface is left: 200 m/s and 50 m pixels make 4 pixels a frame."""
    hidden = DataConfig(cue_strength=0.0, noise=0.0, frame_height=16, frame_width=32)
    still, raw = (
        simulate_flight(
            TEST_FLIGHT, count=4, frames=3, config=replace(hidden, registered=registered), seed=5, device=CPU
        ).frames
        for registered in (True, False)
    )
    assert torch.equal(still[:, 0], still[:, 2])
    torch.testing.assert_close(raw[:, 0, :, 4:], raw[:, 1, :, :-4], atol=1e-3, rtol=0)


def _parallax_heights(frames: torch.Tensor, config: DataConfig) -> np.ndarray:
    """Heights of best-correlated parallax: no network, only shifts.

    The difference of two registered frames holds only what moves. Of all heights tried, the one is taken whose shift
    makes successive differences most alike.
    """
    change = frames[:, 1:] - frames[:, :-1]
    number, width = change.shape[1], change.shape[-1]
    heights = torch.linspace(LOWEST_KM, HIGHEST_KM, 37)
    column = torch.arange(width, dtype=torch.float32)
    likeness = []
    for height in heights.tolist():
        pixels = config.speed_m_s / config.pixel_size_m * height / (config.altitude_km - height)
        aligned = []
        for index in range(number):
            position = column - (index - (number - 1) / 2) * pixels
            left = position.floor().clamp(0, width - 2).long()
            part = position - left
            layer = change[:, index]
            aligned.append((layer[..., left] * (1 - part) + layer[..., left + 1] * part)[..., 8:-8])
        stack = torch.stack(aligned, dim=1)
        product = (stack[:, 1:] * stack[:, :-1]).sum((1, 2, 3))
        size = (stack[:, 1:].square().sum((1, 2, 3)) * stack[:, :-1].square().sum((1, 2, 3))).sqrt()
        likeness.append(product / size)
    return heights[torch.stack(likeness, dim=1).argmax(dim=1)].numpy()


def _parallax_correlation(cue_strength: float) -> float:
    config = DataConfig(noise=0.02, cue_strength=cue_strength)
    flight = simulate_flight(TEST_FLIGHT, count=144, frames=3, config=config, seed=3, device=CPU)
    return float(stats.pearsonr(_parallax_heights(flight.frames, config), flight.target.numpy()).statistic)


def test_height_can_be_recovered_from_parallax_without_a_network() -> None:
    assert _parallax_correlation(1.0) > 0.9


def test_without_cue_nothing_can_be_recovered() -> None:
    assert abs(_parallax_correlation(0.0)) < 0.3


@pytest.mark.parametrize(("azimuth", "direction"), [(0.0, 1), (np.pi, -1)])
def test_shadow_is_where_the_sun_puts_it(azimuth: float, direction: int) -> None:
    """The shadow map is most like the cloud map h·tan(zenith) away from it, on the side of the sun."""
    config = DataConfig(frame_height=96, frame_width=96, altitude_km=30.0)
    count, height, zenith = 24, 1.0, 0.6

    def render(shadow_contrast: float) -> torch.Tensor:
        return render_frames(
            torch.full((count,), height),
            torch.full((count,), zenith),
            torch.full((count,), azimuth),
            scene=Scene(
                cloud_fraction=0.3,
                cloud_contrast=2.0,
                shadow_contrast=shadow_contrast,
                surface_slope=1.6,
                cloud_slope=1.0,
            ),
            frames=1,
            config=config,
            noise=0.0,
            generator=torch.Generator().manual_seed(2),
        )[:, 0].double()

    clouds = render(0.0)
    shadows = (render(2.0) - clouds).flatten(0, 1)
    clouds = clouds.flatten(0, 1)
    lags = np.arange(-30, 31)
    likeness = [
        np.corrcoef(shadows[:, 30:-30].flatten(), clouds[:, 30 + lag : 66 + lag].flatten())[0, 1] for lag in lags
    ]
    expected = direction * 1000.0 * np.tan(zenith) / config.pixel_size_m  # 13.7 pixels
    assert lags[int(np.argmax(likeness))] == pytest.approx(expected, abs=1.5)


@pytest.mark.gpu
def test_cuda_flights_agree_with_cpu_in_distribution() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: the GPU path of the simulation is not exercised here")
    config = DataConfig()
    cpu, cuda = (
        simulate_flight(TEST_FLIGHT, count=144, frames=3, config=config, seed=3, device=torch.device(kind))
        for kind in ("cpu", "cuda")
    )
    assert float(cuda.frames.std()) == pytest.approx(float(cpu.frames.std()), rel=0.1)
    assert float(cuda.target.mean()) == pytest.approx(float(cpu.target.mean()), abs=1e-4)
