"""The configuration of a run: every knob, its default, its range."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

POINT_LOSSES = ("huber", "mae", "mse", "ccc", "balanced_mse")
"""Losses of one output a sample, which ``mixed`` can add up."""

LOSS_NAMES = (*POINT_LOSSES, "mixed", "quantile", "beta_nll", "hl_gauss")


def setting(default: Any, meaning: str, **limits: Any) -> Any:
    """A dataclass field with its meaning and limits.

    Limits: ``low`` and ``high`` (inclusive), ``above`` and ``below`` (exclusive), ``choices`` (a tuple of words).
    """
    return field(default=default, metadata={"meaning": meaning, **limits})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where samples come from and how they are split (``docs/training-data.md``), and the simulated flights."""

    kind: str = setting("flights", "source of the samples", choices=("flights", "diabetes", "npz", "hdf5", "table"))
    path: str | None = setting(None, "the file of kinds npz, hdf5 and table (.csv, .parquet)")
    target: str = setting("target", "array or column to predict")
    inputs: str | None = setting(None, "array of the inputs, or columns with commas between; null = see docs")
    angles: str | None = setting(None, "array (n, 2) of solar zenith and azimuth, radians; null = none")
    group: str | None = setting(None, "array or column of groups, such as flights or patients; null = one group")
    time: str | None = setting(None, "array or column to order samples by; null = as in the file")
    split: str = setting(
        "given", "how samples are split", choices=("given", "column", "group", "loo", "time", "random")
    )
    split_column: str | None = setting(None, "with split column: array or column of train, val, test")
    val_fraction: float = setting(0.2, "share of the samples that validate", above=0.0, below=1.0)
    test_fraction: float = setting(0.2, "share of the samples that test", above=0.0, below=1.0)
    val_groups: str | None = setting(None, "groups that validate, commas between; null = see split")
    test_groups: str | None = setting(None, "with split group: groups that test, commas between")
    loo_group: str | None = setting(None, "with split loo: the group that is left out, to test on")
    leak_check: str = setting("warn", "equal inputs or groups in two splits", choices=("warn", "refuse", "off"))
    seed: int = setting(
        7, "seed of the flights and of random splits; independent of the run's seed", low=0, high=2**31 - 1
    )
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
    deterministic: bool = setting(True, "deterministic algorithms only; false lets cuDNN choose the fastest")
    precision: str = setting("fp32", "arithmetic of the network", choices=("fp32", "tf32", "bf16", "fp16"))
    channels_last: bool = setting(False, "keep convolution weights and activations with channels innermost")
    compile: bool = setting(False, "compile the encoder; a run that cannot compile says so and trains uncompiled")
    cuda_graphs: bool = setting(False, "with compile, on CUDA: replay the encoder's kernels as a graph")
    gradient_checkpointing: bool = setting(False, "recompute the encoder's activations in the backward pass")

    max_epochs: int = setting(50, "most epochs", low=1, high=100_000)
    batch_size: int = setting(20, "samples a step; the last batch of an epoch keeps the remainder", low=1, high=100_000)
    learning_rate: float = setting(5e-4, "peak rate, reached when the warm-up ends", above=0.0, high=10.0)
    weight_decay: float = setting(0.04, "decoupled weight decay", low=0.0, high=10.0)
    optimizer: str = setting("adamw", "optimizer", choices=("adamw",))
    gradient_clip: float | None = setting(1.0, "largest total gradient norm; null = no clipping", above=0.0)

    loss: str = setting("huber", "base loss: see docs/training-losses.md", choices=LOSS_NAMES)
    huber_delta: float = setting(1.0, "where Huber turns from square to straight, in units of the loss", above=0.0)
    mixed_losses: tuple[str, ...] = setting(("huber", "ccc"), "with loss mixed: its parts", choices=POINT_LOSSES)
    mixed_weights: tuple[float, ...] = setting((1.0, 1.0), "their weights, one each", low=0.0)
    quantiles: tuple[float, ...] = setting(
        (0.1, 0.5, 0.9), "with loss quantile: levels, rising, 0.5 among them", above=0.0, below=1.0
    )
    beta_nll_beta: float = setting(0.5, "with loss beta_nll: 0 is the plain likelihood", low=0.0, high=1.0)
    hl_gauss_bins: int = setting(51, "with loss hl_gauss: bins of the histogram", low=2, high=10_000)
    hl_gauss_sigma: float = setting(0.75, "its smear, in bin widths", above=0.0, high=100.0)
    balanced_mse_noise: float = setting(
        0.3, "with loss balanced_mse: std of its noise, in units of the loss", above=0.0
    )
    standardise_target: bool = setting(False, "let the loss see (y - train mean)/train std")
    variance_lambda: float | None = setting(None, "weight λ of the penalty; 0 or null = off", low=0.0)
    penalty: str = setting(
        "variance_ratio", "what λ weighs", choices=("variance_ratio", "std_hinge", "kl_moments", "wasserstein")
    )
    std_hinge_target: float = setting(1.0, "with penalty std_hinge: it pushes below this std ratio", above=0.0)
    lambda_schedule: str = setting(
        "constant",
        "course of λ, from variance_lambda",
        choices=("constant", "source_decay", "linear", "cosine", "gradient_balanced"),
    )
    lambda_excess: float = setting(5.0, "source_decay: λ = variance_lambda·(excess·decay^epoch + 1)", low=0.0)
    lambda_decay: float = setting(0.8, "its decay", low=0.0, high=1.0)
    lambda_start: float = setting(1.0, "linear, cosine: factor on λ in the first epoch", low=0.0)
    lambda_end: float = setting(0.0, "and in the last", low=0.0)
    lambda_epochs: int | None = setting(None, "epochs from one to the other; null = max_epochs", low=1)
    lambda_share: float = setting(0.5, "gradient_balanced: penalty's gradient norm over the base's", above=0.0)
    lambda_max: float = setting(100.0, "its largest λ", above=0.0)
    overweight_factor: float = setting(1.0, "loss weight of one flight's samples; 1 = off", above=0.0, high=1000.0)
    overweight_flight: str | None = setting(None, "the flight that overweight_factor applies to")
    hard_sample_k: int = setting(0, "how many of the worst training samples weigh more next epoch; 0 = off", low=0)
    hard_sample_factor: float = setting(1.0, "their loss weight", above=0.0, high=1000.0)
    label_density_weighting: str = setting(
        "none", "more weight where targets are rare (LDS)", choices=("none", "inverse", "sqrt_inverse")
    )
    label_density_bins: int = setting(50, "bins of the targets' histogram", low=1, high=100_000)
    label_density_sigma: float = setting(2.0, "width of its smoothing kernel, bins", above=0.0, high=1000.0)

    model: str = setting("attention", "the network: see the table of networks", choices=("attention", "cnn", "mlp"))
    temporal_frames: int = setting(3, "frames a sample, one a second", low=1, high=9)
    motion_channel: bool = setting(True, "give the encoder each frame's change over time as a second channel")
    spatial_attention: bool = setting(False, "pool each frame by attention over its places, not by the mean")
    temporal_attention: str = setting("single", "attention over frames", choices=("single", "multi_scale"))
    hidden_size: int = setting(32, "width of the encoder's output", low=1, high=4096)
    hidden_layers: int = setting(2, "hidden layers of the mlp", low=1, high=16)
    dropout: float = setting(0.0, "dropout before the output layer", low=0.0, below=1.0)
    augment: bool = setting(False, "mirror samples by the scene's two exact symmetries while training")
    c_mixup_alpha: float = setting(
        0.0, "C-Mixup: shares are drawn from Beta(alpha, alpha); 0 = off", low=0.0, high=100.0
    )
    c_mixup_bandwidth: float = setting(0.5, "its kernel over targets, in training std", above=0.0)
    output_init_std: float = setting(0.01, "standard deviation of the output weights at the start", low=0.0, high=100.0)
    output_init_bias: float | Literal["train_mean"] = setting(0.0, "output bias at the start: a number, or train_mean")
    pretraining: str = setting("none", "what the encoder starts from", choices=("none", "masked", "broken_ssl"))
    pretraining_epochs: int = setting(30, "most epochs of pretraining", low=1, high=100_000)
    pretraining_patience: int = setting(3, "epochs without a better held-out reconstruction before it stops", low=1)
    pretraining_learning_rate: float = setting(0.001, "rate of pretraining", above=0.0, high=10.0)
    pretraining_mask: float = setting(0.5, "share of the patches that are hidden", above=0.0, below=1.0)
    pretraining_patch: int = setting(8, "side of a hidden patch, pixels", low=1, high=512)
    pretraining_holdout: float = setting(0.2, "share of each group held out to stop by", above=0.0, below=1.0)
    freeze_encoder: bool = setting(False, "keep the encoder's convolutions as they start")

    schedule: str = setting(
        "warmup_plateau", "course of the learning rate", choices=("warmup_plateau", "cosine", "one_cycle")
    )
    rate_floor: float = setting(0.0, "last rate of cosine and one_cycle, as a share of the peak", low=0.0, high=1.0)
    warmup_steps: int = setting(100, "length of the linear warm-up, in warmup_unit", low=0)
    warmup_unit: str = setting("step", "what advances the warm-up", choices=("step", "epoch"))
    plateau_factor: float = setting(0.5, "factor on the rate when val_loss stalls", above=0.0, high=1.0)
    plateau_patience: int = setting(5, "epochs without a better val_loss before that", low=0)

    early_stopping: str = setting(
        "r2",
        "which validation number picks the epoch",
        choices=("val_loss", "r2", "composite", "floor", "ccc", "smoothed"),
    )
    ratio_floor: float | None = setting(None, "least variance ratio of a kept epoch; null = none (floor: 0.4)", low=0.0)
    stopping_warmup: int = setting(0, "first epochs that neither win nor wait", low=0)
    patience: int = setting(10, "epochs without improvement before stopping", low=1)
    min_delta: float = setting(0.0005, "an improvement is larger than this", low=0.0)
    emergency_stop_ratio: float | None = setting(None, "stop when variance_ratio falls below; null = off", low=0.0)
    emergency_stop_after: int = setting(5, "epochs that the emergency stop waits first", low=0)
    recalibrate: str = setting("none", "line fitted on validation", choices=("none", "report", "apply"))
    gradient_every: int = setting(5, "steps between two measurements of the gradient norms", low=1)
    train_metrics_every: int = setting(
        25,
        "epochs between two evaluations of the training split for its metrics; the last epoch's is always logged",
        low=1,
    )

    data: DataConfig = field(default_factory=DataConfig)

    @property
    def penalty_weight(self) -> float:
        """Base weight of the penalty, 0 when it is off; ``lambda_schedule`` says what becomes of it."""
        return self.variance_lambda or 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values under the same keys; ``load_config`` of it gives an equal configuration."""
        return asdict(self)


def setting_names(kind: type[Config] | type[DataConfig]) -> tuple[str, ...]:
    """Keys in the order in which they are declared."""
    return tuple(item.name for item in fields(kind))


def all_settings() -> tuple[str, ...]:
    """Every key that a value can be set for, those of the data as ``data.noise``."""
    own = tuple(name for name in setting_names(Config) if name != "data")
    return (*own, *(f"data.{name}" for name in setting_names(DataConfig)))
