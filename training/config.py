"""The configuration of a run: every knob, its default, its range."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal


def setting(default: Any, meaning: str, **limits: Any) -> Any:
    """A dataclass field with its meaning and limits.

    Limits: ``low`` and ``high`` (inclusive), ``above`` and ``below`` (exclusive), ``choices`` (a tuple of words).
    """
    return field(default=default, metadata={"meaning": meaning, **limits})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """The simulated flights (``docs/training.md`` has the geometry and the formulas)."""

    kind: str = setting("flights", "source of the samples", choices=("flights",))
    seed: int = setting(7, "seed of the flights; independent of the run's seed", low=0, high=2**31 - 1)
    frame_height: int = setting(48, "pixels across the track", low=8, high=2048)
    frame_width: int = setting(48, "pixels along the track", low=8, high=2048)
    registered: bool = setting(True, "take the aircraft's own motion out: the surface then stands still")
    noise: float = setting(2.0, "sensor noise, in standard deviations of the surface texture", low=0.0, high=100.0)
    cue_strength: float = setting(1.0, "opacity of clouds and shadows; 0 hides them", low=0.0, high=1.0)
    autocorrelation: float = setting(0.96, "AR(1) coefficient of the heights along a flight", low=0.0, below=1.0)
    altitude_km: float = setting(5.0, "height of the aircraft", low=2.5, high=30.0)
    speed_m_s: float = setting(200.0, "speed of the aircraft", above=0.0, high=1000.0)
    pixel_size_m: float = setting(50.0, "a pixel on the ground", above=0.0, high=1000.0)
    train_samples: int = setting(501, "samples over all training flights", low=8, high=1_000_000)
    val_samples: int = setting(144, "consecutive samples of the validation flight", low=2, high=1_000_000)
    test_samples: int = setting(144, "consecutive samples of the test flight", low=2, high=1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One training run. Read from YAML by :func:`training.config_file.load_config`; ``to_dict`` gives it back."""

    run_name: str = setting("run", "name of the run and of its files")
    seed: int = setting(0, "seed of the weights, the batches and the dropout", low=0, high=2**31 - 1)
    device: str = setting("auto", "auto takes CUDA where there is one", choices=("auto", "cpu", "cuda"))
    threads: int = setting(2, "CPU threads; part of the configuration because sums depend on it", low=1, high=1024)

    max_epochs: int = setting(50, "most epochs", low=1, high=100_000)
    batch_size: int = setting(20, "samples a step; the last batch of an epoch keeps the remainder", low=1, high=100_000)
    learning_rate: float = setting(5e-4, "peak rate, reached when the warm-up ends", above=0.0, high=10.0)
    weight_decay: float = setting(0.04, "decoupled weight decay", low=0.0, high=10.0)
    optimizer: str = setting("adamw", "optimizer", choices=("adamw",))
    gradient_clip: float | None = setting(1.0, "largest total gradient norm; null = no clipping", above=0.0)

    loss: str = setting("huber", "base loss", choices=("huber", "mae", "mse"))
    huber_delta: float = setting(1.0, "where Huber turns from square to straight, km", above=0.0)
    variance_lambda: float | None = setting(None, "weight of (1 - pred_var/target_var)²; 0 or null = off", low=0.0)
    overweight_factor: float = setting(1.0, "loss weight of one flight's samples; 1 = off", above=0.0, high=1000.0)
    overweight_flight: str | None = setting(None, "the flight that overweight_factor applies to")
    hard_sample_k: int = setting(0, "how many of the worst training samples weigh more next epoch; 0 = off", low=0)
    hard_sample_factor: float = setting(1.0, "their loss weight", above=0.0, high=1000.0)

    temporal_frames: int = setting(3, "frames a sample, one a second", low=1, high=9)
    motion_channel: bool = setting(True, "give the encoder each frame's change over time as a second channel")
    hidden_size: int = setting(32, "width of the encoder's output", low=1, high=4096)
    dropout: float = setting(0.0, "dropout before the output layer", low=0.0, below=1.0)
    augment: bool = setting(False, "mirror samples by the scene's two exact symmetries while training")
    output_init_std: float = setting(0.01, "standard deviation of the output weights at the start", low=0.0, high=100.0)
    output_init_bias: float | Literal["train_mean"] = setting(0.0, "output bias at the start: a number, or train_mean")
    pretraining: str = setting("none", "what the encoder starts from", choices=("none",))

    warmup_steps: int = setting(100, "length of the linear warm-up, in warmup_unit", low=0)
    warmup_unit: str = setting("step", "what advances the warm-up", choices=("step", "epoch"))
    plateau_factor: float = setting(0.5, "factor on the rate when val_loss stalls", above=0.0, high=1.0)
    plateau_patience: int = setting(5, "epochs without a better val_loss before that", low=0)

    early_stopping: str = setting("r2", "which validation number picks the epoch", choices=("val_loss", "r2"))
    patience: int = setting(10, "epochs without improvement before stopping", low=1)
    min_delta: float = setting(0.0005, "an improvement is larger than this", low=0.0)
    emergency_stop_ratio: float | None = setting(None, "stop when variance_ratio falls below; null = off", low=0.0)
    emergency_stop_after: int = setting(5, "epochs that the emergency stop waits first", low=0)
    gradient_every: int = setting(5, "steps between two measurements of the gradient norms", low=1)

    data: DataConfig = field(default_factory=DataConfig)

    @property
    def penalty_weight(self) -> float:
        """λ of the variance penalty, 0 when it is off."""
        return self.variance_lambda or 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the same keys; ``load_config`` of it gives an equal configuration."""
        return asdict(self)


def setting_names(kind: type[Config] | type[DataConfig]) -> tuple[str, ...]:
    """Keys in the order in which they are declared."""
    return tuple(item.name for item in fields(kind))
