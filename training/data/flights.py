"""The six flights of the simulation: which differ in sun, contrast, noise, texture and heights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.config import DataConfig
from training.data.dataset import Dataset, Split, concatenate
from training.data.heights import Quantiles, flight_heights
from training.data.rendering import Scene, render_frames

SUN_DRIFT_RAD = 0.05  # about 3 degrees: the sun's way during the 50 minutes of a flight
SEED_STRIDE = 1009  # keeps the flights of neighbouring data seeds apart: more than there are flights


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """What sets one flight apart. Angles in radians; contrasts in standard deviations of the surface texture."""

    name: str
    heights: Quantiles
    zenith_rad: float
    azimuth_rad: float
    scene: Scene
    noise_factor: float


# Shares and heights of the published test set: 3 samples below 0.4 km, 18 to 0.6, 75 to 0.8, 15 to 1.0, 33 near 1.79.
SKEWED: Quantiles = ((0.0, 0.15), (0.02, 0.40), (0.146, 0.60), (0.667, 0.80), (0.77, 0.90), (0.7701, 1.60), (1.0, 1.95))
BROAD: Quantiles = ((0.0, 0.15), (1.0, 1.95))
LOW: Quantiles = ((0.0, 0.15), (0.5, 0.60), (0.85, 1.10), (1.0, 1.90))
MIDDLE: Quantiles = ((0.0, 0.20), (0.2, 0.70), (0.8, 1.30), (1.0, 1.90))
HIGH: Quantiles = ((0.0, 0.30), (0.4, 1.10), (1.0, 1.95))

TRAINING_FLIGHTS = (
    Flight(
        name="flight_a",
        heights=BROAD,
        zenith_rad=0.50,
        azimuth_rad=0.6,
        noise_factor=1.0,
        scene=Scene(cloud_fraction=0.45, cloud_contrast=2.2, shadow_contrast=0.9, surface_slope=1.6, cloud_slope=2.2),
    ),
    Flight(
        name="flight_b",
        heights=LOW,
        zenith_rad=0.75,
        azimuth_rad=2.4,
        noise_factor=1.2,
        scene=Scene(cloud_fraction=0.35, cloud_contrast=1.8, shadow_contrast=1.1, surface_slope=1.3, cloud_slope=2.0),
    ),
    Flight(
        name="flight_c",
        heights=MIDDLE,
        zenith_rad=0.60,
        azimuth_rad=4.0,
        noise_factor=0.8,
        scene=Scene(cloud_fraction=0.50, cloud_contrast=2.5, shadow_contrast=0.8, surface_slope=1.8, cloud_slope=2.4),
    ),
    Flight(
        name="flight_d",
        heights=HIGH,
        zenith_rad=0.90,
        azimuth_rad=5.3,
        noise_factor=1.1,
        scene=Scene(cloud_fraction=0.40, cloud_contrast=2.0, shadow_contrast=1.0, surface_slope=1.5, cloud_slope=1.9),
    ),
)
VALIDATION_FLIGHT = Flight(
    name="flight_e",
    heights=MIDDLE,
    zenith_rad=0.70,
    azimuth_rad=3.2,
    noise_factor=1.0,
    scene=Scene(cloud_fraction=0.42, cloud_contrast=2.1, shadow_contrast=0.9, surface_slope=1.5, cloud_slope=2.1),
)
TEST_FLIGHT = Flight(
    name="flight_f",
    heights=SKEWED,
    zenith_rad=0.65,
    azimuth_rad=1.5,
    noise_factor=1.0,
    scene=Scene(cloud_fraction=0.44, cloud_contrast=2.0, shadow_contrast=1.0, surface_slope=1.6, cloud_slope=2.2),
)


def flight_names() -> tuple[str, ...]:
    """Names of the training flights, which ``overweight_flight`` may name."""
    return tuple(flight.name for flight in TRAINING_FLIGHTS)


def simulate_flight(
    flight: Flight, *, count: int, frames: int, config: DataConfig, seed: int, device: torch.device
) -> Split:
    """One flight of ``count`` samples in time order, made on ``device``.

    The same seed on the same kind of device gives the same values. CPU and GPU draw from different generators: they
    agree in distribution only. Everything but the sensor noise is drawn before ``frames`` matters, so runs with 3 and
    with 7 frames see the same heights at the same places.
    """
    generator = torch.Generator(device=device).manual_seed(seed)
    heights = flight_heights(count, knots=flight.heights, coefficient=config.autocorrelation, generator=generator)
    along = torch.linspace(-0.5, 0.5, count, device=device)
    zenith = flight.zenith_rad + SUN_DRIFT_RAD * along
    azimuth = flight.azimuth_rad + SUN_DRIFT_RAD * along
    rendered = render_frames(
        heights,
        zenith,
        azimuth,
        scene=flight.scene,
        frames=frames,
        config=config,
        noise=config.noise * flight.noise_factor,
        generator=generator,
    )
    return Split(
        frames=rendered,
        angles=torch.stack((zenith, azimuth), dim=1),
        target=heights,
        local_indices=torch.arange(count, device=device),
        flight=torch.zeros(count, dtype=torch.int64, device=device),
        flight_names=(flight.name,),
    )


def simulate_flights(config: DataConfig, *, frames: int, device: torch.device) -> Dataset:
    """The training flights (as equal in length as can be), the validation flight and the test flight."""
    number = len(TRAINING_FLIGHTS)
    counts = [config.train_samples // number + (index < config.train_samples % number) for index in range(number)]

    def fly(index: int, flight: Flight, count: int) -> Split:
        seed = config.seed * SEED_STRIDE + index
        return simulate_flight(flight, count=count, frames=frames, config=config, seed=seed, device=device)

    training = [fly(index, flight, counts[index]) for index, flight in enumerate(TRAINING_FLIGHTS)]
    return Dataset(
        train=concatenate(training),
        val=fly(number, VALIDATION_FLIGHT, config.val_samples),
        test=fly(number + 1, TEST_FLIGHT, config.test_samples),
    )
