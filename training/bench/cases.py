"""What is measured: sizes of input, and the settings of the loops on each kind of device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from training.bench.command import CASE_FORM
from training.config import Config, DataConfig
from training.data import Split
from training.errors import ConfigError

RUN_SAMPLES, RUN_VAL_SAMPLES = 501, 144
"""Training and validation samples of the published runs; a case keeps their proportion."""
LARGEST_FRAMES_GIB = 4.0
"""More frames than this are refused: the source's own size takes 1.6, they are held twice, and activations come on top."""
LIMITS = {"frames": (1, 9), "height": (8, 2048), "width": (8, 2048), "batch": (1, 100_000), "samples": (2, 1_000_000)}
"""As in the run's own configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCase:
    """One size: ``samples`` samples of ``frames`` frames of ``height`` × ``width`` pixels, ``batch`` a step."""

    name: str
    frames: int
    height: int
    width: int
    batch: int
    samples: int

    @property
    def gib(self) -> float:
        """Memory of the frames in float32, GiB."""
        return 4.0 * self.samples * self.frames * self.height * self.width / 2**30


EXAMPLE = BenchCase(name="example", frames=3, height=48, width=48, batch=20, samples=RUN_SAMPLES)
"""The size of the presets run1 to run4."""
SOURCE = BenchCase(name="source", frames=3, height=440, width=640, batch=20, samples=RUN_SAMPLES)
"""Input size, batch and samples of the published runs."""
SOURCE_SIXTEENTH = BenchCase(name="source/16", frames=3, height=110, width=160, batch=20, samples=100)
"""A quarter of that each way: what a CPU does in a sensible time."""
QUICK = BenchCase(name="quick", frames=3, height=16, width=16, batch=4, samples=12)
"""Shows that everything runs; its figures mean nothing."""


def default_cases(device: torch.device, *, quick: bool) -> tuple[BenchCase, ...]:
    """The sizes measured unless others are asked for."""
    if quick:
        return (QUICK,)
    return (EXAMPLE, SOURCE) if device.type == "cuda" else (EXAMPLE, SOURCE_SIXTEENTH)


def parse_case(text: str) -> BenchCase:
    """A size from ``FRAMESxHEIGHTxWIDTHxBATCHxSAMPLES``; ConfigError where it is none, or beyond what a run may be.

    >>> parse_case("3x48x64x20x100").width
    64
    """
    parts = text.lower().split("x")
    if len(parts) != len(LIMITS) or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise ConfigError(f"--case: found {text!r}; expected {CASE_FORM}")
    numbers = dict(zip(LIMITS, map(int, parts), strict=True))
    for name, (low, high) in LIMITS.items():
        if not low <= numbers[name] <= high:
            raise ConfigError(f"--case {text}: found {name} {numbers[name]}; expected {low} to {high}")
    case = BenchCase(name=text.lower(), **numbers)
    if case.gib > LARGEST_FRAMES_GIB:
        raise ConfigError(
            f"--case {text}: its frames take {case.gib:.1f} GiB; expected at most {LARGEST_FRAMES_GIB:g}: fewer samples "
            "give the same figures"
        )
    return case


def preset_config(case: BenchCase, device: torch.device, *, threads: int) -> Config:
    """The run that is timed, with the arithmetic of the presets: float32, deterministic, uncompiled.

    Huber with a variance penalty, as in run4, because that measures two gradients instead of one. A constant learning
    rate: the reference loop has no schedule.
    """
    return Config(
        device=device.type,
        threads=threads,
        batch_size=case.batch,
        temporal_frames=case.frames,
        variance_lambda=0.5,
        warmup_steps=0,
        output_init_std=0.5,
        data=DataConfig(frame_height=case.height, frame_width=case.width, train_samples=max(8, case.samples)),
    )


def fast_settings(device: torch.device) -> dict[str, bool | str]:
    """What the loop can do for speed on this kind of device, as changes to the configuration.

    On a CPU channels last only: compiled code was no faster there (torch 2.13, AVX2, one thread), and 16-bit arithmetic
    needs instructions that many CPUs lack.
    """
    if device.type != "cuda":
        return {"channels_last": True}
    return {
        "deterministic": False,
        "precision": "bf16",
        "channels_last": True,
        "compile": True,
        "cuda_graphs": True,
    }


def random_split(case: BenchCase, *, seed: int, samples: int | None = None) -> Split:
    """Noise of the case's shape, on the CPU: how long a step takes does not depend on what the frames show."""
    count = samples or case.samples
    generator = torch.Generator().manual_seed(seed)
    return Split(
        frames=torch.randn((count, case.frames, case.height, case.width), generator=generator),
        angles=torch.rand((count, 2), generator=generator),
        target=0.15 + 1.8 * torch.rand(count, generator=generator),
        local_indices=torch.arange(count),
        flight=torch.zeros(count, dtype=torch.int64),
        flight_names=("noise",),
    )
