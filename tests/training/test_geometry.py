"""The camera's geometry, against hand calculations with rays."""

import math

import pytest
import torch

from training.data.geometry import (
    cloud_points,
    frame_times,
    parallax_factor,
    pixel_axis,
    shadow_distance_km,
    shadow_points,
    surface_pixels_per_frame,
    surface_points,
)

ALTITUDE_KM = 5.0
SPEED_KM_S = 0.2
CPU = torch.device("cpu")


def test_surface_moves_by_speed_over_pixel_size() -> None:
    assert surface_pixels_per_frame(speed_m_s=150.0, pixel_size_m=25.0, seconds=2.0) == pytest.approx(12.0)


def test_times_and_pixels_are_centred() -> None:
    assert frame_times(4, CPU).tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert pixel_axis(3, 50.0, CPU).tolist() == pytest.approx([-0.05, 0.0, 0.05])


def _ray(height_km: float, camera_x: float, ground: tuple[float, float]) -> tuple[float, float]:
    """Where the straight line from the camera at 5 km over (camera_x, 0) to a ground point has the given height."""
    share = (ALTITUDE_KM - height_km) / ALTITUDE_KM
    return camera_x + share * (ground[0] - camera_x), share * ground[1]


@pytest.mark.parametrize("registered", [True, False])
def test_cloud_points_lie_on_the_rays(registered: bool) -> None:
    u, v, times = torch.tensor([-0.4, 0.3]), torch.tensor([0.1, 0.7]), frame_times(3, CPU)
    heights = torch.tensor([0.5, 1.9])
    ground_x, ground_y = surface_points(u, v, times, SPEED_KM_S, registered=registered)
    x, y = cloud_points(ground_x, ground_y, times, heights, altitude_km=ALTITUDE_KM, speed_km_s=SPEED_KM_S)
    for sample, height in enumerate(heights.tolist()):
        for frame, time in enumerate(times.tolist()):
            camera = SPEED_KM_S * time
            for row, column in ((0, 0), (1, 1)):
                ground = (float(u[column]) + (0.0 if registered else camera), float(v[row]))
                expected = _ray(height, camera, ground)
                assert float(x[sample, frame, 0, column]) == pytest.approx(expected[0], abs=1e-6)
                assert float(y[sample, 0, row, 0]) == pytest.approx(expected[1], abs=1e-6)


def test_cloud_overtakes_the_surface_by_the_parallax_factor() -> None:
    """The pixel at which one cloud point is seen moves H/(H-h) times as far a second as that of a surface point."""
    height = 1.5
    u = torch.linspace(-2.0, 2.0, 4001)
    times = torch.tensor([0.0, 1.0])
    ground_x, ground_y = surface_points(u, torch.zeros(1), times, SPEED_KM_S, registered=False)
    x, _ = cloud_points(
        ground_x, ground_y, times, torch.tensor([height]), altitude_km=ALTITUDE_KM, speed_km_s=SPEED_KM_S
    )
    seen_cloud = [float(u[(x[0, frame, 0] - 0.3).abs().argmin()]) for frame in (0, 1)]
    seen_surface = [float(u[(ground_x[frame, 0] - 0.3).abs().argmin()]) for frame in (0, 1)]
    ratio = (seen_cloud[1] - seen_cloud[0]) / (seen_surface[1] - seen_surface[0])
    assert ratio == pytest.approx(5.0 / 3.5, abs=0.01)
    assert parallax_factor(height, ALTITUDE_KM) == pytest.approx(5.0 / 3.5)


def test_a_point_is_shaded_by_the_cloud_towards_the_sun() -> None:
    zenith, azimuth, height = 0.9, 2.0, 1.2
    x, y = shadow_points(
        torch.full((1, 1, 1), 0.25),
        torch.full((1, 1, 1), -0.5),
        torch.tensor([height]),
        torch.tensor([zenith]),
        torch.tensor([azimuth]),
    )
    sun = (math.sin(zenith) * math.cos(azimuth), math.sin(zenith) * math.sin(azimuth), math.cos(zenith))
    steps = height / sun[2]  # length of the ray to the sun up to the layer
    assert x.item() == pytest.approx(0.25 + steps * sun[0], abs=1e-6)
    assert y.item() == pytest.approx(-0.5 + steps * sun[1], abs=1e-6)
    assert shadow_distance_km(height, zenith) == pytest.approx(steps * math.sin(zenith))
