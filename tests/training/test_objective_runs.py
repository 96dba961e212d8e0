"""Every loss, penalty and course of λ in whole tiny runs: artifacts in target units, logged numbers that add up."""

import csv
import json
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from training.config import LOSS_NAMES, POINT_LOSSES, Config
from training.config_file import load_config, parse_config
from training.data.dataset import Split
from training.errors import ConfigError
from training.lambdas import COURSES
from training.loop import Trainer
from training.losses import LOSSES
from training.model import HeightNetwork
from training.objective import make_objective
from training.penalties import PENALTIES
from training.run import Places, run_training

SIZE = {"frame_height": 16, "frame_width": 16, "train_samples": 41, "val_samples": 12, "test_samples": 12}


def _config(**settings: Any) -> Config:
    base = {"run_name": "tiny", "threads": 1, "max_epochs": 2, "data": SIZE, "device": "cpu"}
    return parse_config({**base, "output_init_bias": "train_mean", **settings})


def _run(out: Path, **settings: Any) -> tuple[dict[str, Any], list[dict[str, str]], Places]:
    config = _config(**settings)
    places = Places.of("tiny", out=out)
    document = run_training(config, places)
    with (places.folder / "tiny.csv").open(newline="") as file:
        return document, list(csv.DictReader(file)), places


def _predictions(places: Places) -> tuple[np.ndarray, np.ndarray]:
    with (places.folder / "predictions_tiny.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(np.array([float(row[name]) for row in rows]) for name in ("y_true", "y_pred"))  # type: ignore[return-value]


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_run_with_every_loss(tmp_path: Path, name: str) -> None:
    document, rows, places = _run(tmp_path, loss=name, variance_lambda=0.3, c_mixup_alpha=1.0, standardise_target=True)
    y_true, y_pred = _predictions(places)
    assert y_pred.shape == (12,)
    assert document["mae"] == pytest.approx(np.mean(np.abs(y_true - y_pred)))
    for row in rows:
        expected = float(row["base_loss"]) + 0.3 * float(row["penalty_loss"])
        assert float(row["val_loss"]) == pytest.approx(expected, rel=1e-6)
        assert float(row["grad_norm_base"]) > 0
        # The first predictions are near the training mean, about 1 km: target units, whatever the loss sees.
        assert 0.6 < float(row["pred_mean"]) < 1.5
    saved = torch.load(places.checkpoint, weights_only=True)
    assert saved["penalty_weight"] == 0.3
    assert saved["target_scale"]["std"] == pytest.approx(document["splits"]["train"]["true_std"], rel=1e-6)


def test_tables_of_names_agree() -> None:
    assert set(LOSSES) == set(LOSS_NAMES)
    assert set(POINT_LOSSES) < set(LOSSES)
    for key, names in (("penalty", PENALTIES), ("lambda_schedule", COURSES)):
        for name in names:
            assert getattr(_config(**{key: name}), key) == name


def test_lambda_is_logged_as_it_was_and_the_kept_epochs_weighs_the_test_loss(tmp_path: Path) -> None:
    document, rows, places = _run(
        tmp_path, max_epochs=3, variance_lambda=2.0, lambda_schedule="source_decay", penalty="kl_moments", loss="mse"
    )
    np.testing.assert_allclose([float(row["variance_lambda"]) for row in rows], [10.0, 8.4, 7.12])
    for row in rows:
        total = float(row["base_loss"]) + float(row["variance_lambda"]) * float(row["penalty_loss"])
        assert float(row["val_loss"]) == pytest.approx(total, rel=1e-6)
    y_true, y_pred = _predictions(places)
    ratio, shift = np.var(y_pred) / np.var(y_true) + 1e-4, (y_pred.mean() - y_true.mean()) / y_true.std()
    weight = float(rows[document["selected_epoch"] - 1]["variance_lambda"])
    expected = np.mean((y_pred - y_true) ** 2) + weight * 0.5 * (ratio + shift**2 - 1 - np.log(ratio))
    assert document["loss"] == pytest.approx(expected, rel=1e-4)


def test_gradient_balanced_lambda_follows_the_logged_norms(tmp_path: Path) -> None:
    _, rows, _ = _run(
        tmp_path, max_epochs=3, variance_lambda=0.5, lambda_schedule="gradient_balanced", lambda_max=1e6, batch_size=8
    )
    assert float(rows[0]["variance_lambda"]) == 0.5
    for before, after in pairwise(rows):
        unweighted = float(before["grad_norm_penalty"]) / float(before["variance_lambda"])
        expected = 0.5 * float(before["grad_norm_base"]) / unweighted
        assert float(after["variance_lambda"]) == pytest.approx(expected)


def _split(count: int) -> Split:
    generator = torch.Generator().manual_seed(0)
    return Split(
        frames=torch.randn(count, 2, 8, 8, generator=generator),
        angles=torch.rand(count, 2, generator=generator),
        target=1.0 + 0.5 * torch.randn(count, generator=generator),
        local_indices=torch.arange(count),
        flight=torch.zeros(count, dtype=torch.int64),
        flight_names=("flight_a",),
    )


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("standardise", [False, True])
def test_predictions_start_where_the_output_bias_says(name: str, standardise: bool) -> None:
    split = _split(60)
    config = Config(loss=name, standardise_target=standardise, output_init_std=0.0, hidden_size=8)
    objective = make_objective(config, split.target)
    model = HeightNetwork(config, output_bias=objective.start(0.9)).eval()
    point = objective.point(model(split.frames, split.angles))
    tolerance = 0.05 if name == "hl_gauss" else 1e-5  # a histogram's mean lies a little inwards
    assert point.tolist() == pytest.approx([0.9] * 60, abs=tolerance)


def test_a_standardised_squared_error_is_the_squared_error_over_the_variance() -> None:
    target = _split(60).target
    outputs = torch.randn(60, generator=torch.Generator().manual_seed(1))
    objective = make_objective(Config(loss="mse", standardise_target=True), target)
    point = objective.point(outputs).numpy()
    expected = np.mean((point - target.numpy()) ** 2) / np.var(target.numpy())
    assert float(objective.base_loss(outputs, target)) == pytest.approx(expected, rel=1e-5)


def test_half_precision_outputs_are_judged_in_single() -> None:
    target = _split(60).target
    objective = make_objective(Config(loss="ccc", variance_lambda=1.0), target)
    outputs = target.bfloat16()
    expected = objective.base_loss(outputs.float(), target)
    assert objective.base_loss(outputs, target).dtype == torch.float32
    assert float(objective.base_loss(outputs, target)) == float(expected)


def test_c_mixup_and_weights_change_the_steps_and_follow_the_seed() -> None:
    split = _split(24)

    def losses(weights: torch.Tensor | None = None, **settings: Any) -> float:
        torch.manual_seed(0)
        config = Config(temporal_frames=2, hidden_size=8, batch_size=8, learning_rate=0.01, warmup_steps=0, **settings)
        return Trainer(config, HeightNetwork(config, output_bias=0.0), split).train_epoch(weights).train_loss

    plain, mixed = losses(), losses(c_mixup_alpha=2.0)
    assert mixed == losses(c_mixup_alpha=2.0)
    assert mixed != plain
    assert losses(torch.linspace(0.1, 5.0, 24), c_mixup_alpha=2.0) not in (mixed, plain)


def test_label_density_weighting_reaches_the_steps(tmp_path: Path) -> None:
    _, plain, _ = _run(tmp_path / "a")
    _, weighted, _ = _run(tmp_path / "b", label_density_weighting="inverse", label_density_bins=10)
    assert plain[0]["train_loss"] != weighted[0]["train_loss"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "quantile", "quantiles": [0.1, 0.9]}, "rising levels with 0.5 among them"),
        ({"loss": "quantile", "quantiles": [0.5, 0.1]}, "rising levels with 0.5 among them"),
        ({"quantiles": [0.5, 1.0]}, "quantiles[1]: found 1.0; expected above 0.0 and below 1.0"),
        ({"quantiles": 0.5}, "quantiles: found float 0.5; expected a list"),
        ({"quantiles": []}, "quantiles: found an empty list; expected a list of at least one"),
        (
            {"loss": "ccc", "batch_size": 1},
            "batch_size: found 1; loss ccc compares samples of a batch: expected 2 or more",
        ),
        (
            {"loss": "mixed", "mixed_losses": ["ccc", "balanced_mse"], "batch_size": 1},
            "batch_size: found 1; loss mixed compares samples",
        ),
        ({"loss": "mixed", "mixed_weights": [1.0]}, "found 1 weights for 2 mixed_losses"),
        ({"loss": "mixed", "mixed_weights": [0.0, 0.0]}, "found only zeros"),
        ({"mixed_losses": ["quantile"]}, "mixed_losses[0]: found 'quantile'; expected one of huber"),
        ({"loss": "hl_gauss", "hl_gauss_bins": 4}, "hl_gauss_bins: found 4; expected at least 5"),
        ({"penalty": "variance"}, "penalty: found 'variance'; did you mean 'variance_ratio'?"),
        ({"lambda_schedule": "exp"}, "lambda_schedule: found 'exp'"),
        ({"lambda_decay": 1.5}, "lambda_decay: found 1.5"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _config(**settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lists_survive_yaml_overrides_and_json() -> None:
    config = load_config("run4", ["loss=quantile", "quantiles=[0.05, 0.5, 0.95]", "mixed_losses=[MSE, ccc]"])
    assert config.quantiles == (0.05, 0.5, 0.95)
    assert config.mixed_losses == ("mse", "ccc")
    assert parse_config(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_a_balanced_penalty_cannot_cancel_the_base_gradient(share: float) -> None:
    """‖base + λ·penalty‖ ≥ (1 - share)·‖base‖ at the output weight when λ is set by the share, whatever the features."""
    generator = torch.Generator().manual_seed(3)
    objective = make_objective(Config(loss="mse", variance_lambda=1.0), torch.randn(50, generator=generator))
    for _ in range(50):
        features = torch.randn(50, 4, generator=generator)
        target = torch.randn(50, generator=generator)
        weight = torch.randn(4, generator=generator, requires_grad=True)
        outputs = features @ weight
        penalty = objective.penalty_loss(outputs, target)
        assert penalty is not None
        (base_gradient,) = torch.autograd.grad(objective.base_loss(outputs, target), weight, retain_graph=True)
        (penalty_gradient,) = torch.autograd.grad(penalty, weight)
        balanced = share * base_gradient.norm() / penalty_gradient.norm()
        total = (base_gradient + balanced * penalty_gradient).norm()
        assert float(total) >= (1 - share) * float(base_gradient.norm()) * (1 - 1e-5)


def test_murphys_budget_gives_the_concordance_that_the_loss_names() -> None:
    """1 - loss = 2rα/(1 + α² + β²), the vocabulary's form of Lin's coefficient."""
    generator = np.random.default_rng(8)
    y_true, y_pred = generator.normal(1.0, 0.5, 60), generator.normal(1.4, 0.3, 60)
    objective = make_objective(Config(loss="ccc"), torch.from_numpy(y_true))
    loss = float(objective.base_loss(torch.from_numpy(y_pred), torch.from_numpy(y_true)))
    r, alpha = stats.pearsonr(y_true, y_pred).statistic, np.std(y_pred) / np.std(y_true)
    beta = (y_pred.mean() - y_true.mean()) / np.std(y_true)
    assert 1 - loss == pytest.approx(2 * r * alpha / (1 + alpha**2 + beta**2), rel=1e-12)


def test_a_resumed_trainer_goes_on_with_the_same_lambda_and_mixtures() -> None:
    # One thread: sums of several threads may differ in the last bit, which Adam makes a whole step of where a gradient
    # is all but zero. A run fixes its threads and algorithms (`make_reproducible`); a bare trainer does not.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _resumed_goes_on()
    finally:
        torch.set_num_threads(threads)


def _resumed_goes_on() -> None:
    split = _split(24)
    config = Config(
        temporal_frames=2,
        hidden_size=8,
        batch_size=8,
        loss="quantile",
        variance_lambda=0.5,
        lambda_schedule="gradient_balanced",
        gradient_every=1,
        c_mixup_alpha=1.0,
        output_init_std=0.3,
    )

    def trainer() -> Trainer:
        torch.manual_seed(0)
        bias = make_objective(config, split.target).start(0.5)
        return Trainer(config, HeightNetwork(config, output_bias=bias), split)

    first, second = trainer(), trainer()
    first.train_epoch(None)
    first.schedule.after_epoch(1.0)
    second.load_state_dict(deepcopy(first.state_dict()))  # a copy, as a file is: the optimizer keeps what it is given
    second.follow(1.0)  # the learning rate is not in the state: it follows from the epochs that ended
    ours, theirs = first.train_epoch(None), second.train_epoch(None)
    assert (theirs.train_loss, theirs.penalty_weight) == (ours.train_loss, ours.penalty_weight)
    assert ours.penalty_weight != 0.5
