"""Draws ``frames.png``: simulated frames as the camera and as the network sees them.

Run from the repository root: ``python docs/images/make_frames.py``. The PNG is written with the standard library, because
no plotting package is a dependency of the training system.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training.config import DataConfig
from training.data.flights import TEST_FLIGHT
from training.data.rendering import render_frames

FRAMES = 5
SIZE = 96
SCALE = 2
GAP = 6
DARKEST, BRIGHTEST = -4.0, 2.5  # standard deviations of the surface texture
HIGH_KM, LOW_KM = 1.8, 0.3


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """An 8-bit grey image (height, width) as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)  # filter 0 at the head of each row
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def frames_of(height_km: float, *, registered: bool, noise: float) -> NDArray[np.float32]:
    """Frames of one sample of the test flight at a given cloud height, (frames, SIZE, SIZE)."""
    config = DataConfig(frame_height=SIZE, frame_width=SIZE, registered=registered)
    rendered = render_frames(
        torch.tensor([height_km]),
        torch.tensor([TEST_FLIGHT.zenith_rad]),
        torch.tensor([0.6]),
        scene=TEST_FLIGHT.scene,
        frames=FRAMES,
        config=config,
        noise=noise,
        generator=torch.Generator().manual_seed(11),
    )
    return rendered[0].numpy()


def main() -> None:
    """Writes the picture beside this file."""
    rows = [
        frames_of(HIGH_KM, registered=False, noise=0.0),
        frames_of(HIGH_KM, registered=True, noise=0.0),
        frames_of(LOW_KM, registered=True, noise=0.0),
        frames_of(HIGH_KM, registered=True, noise=DataConfig().noise),
    ]
    step = SIZE * SCALE + GAP
    canvas = np.full((len(rows) * step - GAP, FRAMES * step - GAP), 255, dtype=np.uint8)
    for line, frames in enumerate(rows):
        for column, frame in enumerate(frames):
            grey = np.clip((frame - DARKEST) / (BRIGHTEST - DARKEST), 0.0, 1.0) * 255.0
            large = np.kron(grey.astype(np.uint8), np.ones((SCALE, SCALE), dtype=np.uint8))
            canvas[line * step : line * step + SIZE * SCALE, column * step : column * step + SIZE * SCALE] = large
    (Path(__file__).parent / "frames.png").write_bytes(png_bytes(canvas))


if __name__ == "__main__":
    main()
