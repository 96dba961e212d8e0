"""What losses and penalties do to r and to the std ratio, on small simulated tasks.

    OMP_NUM_THREADS=1 python benchmarks/objective_effects.py [tasks]

Each task has its own weights, noise and data: 8 normal inputs, a truth that a small network can learn in part
(exp of a sum, skewed, with noise so that r is at most about 0.75), 300 training samples, 4,000 test samples. A network
8-32-K with GELU takes 400 steps of AdamW on batches of 32. Every objective sees the same task, start and batches; what
is printed is the mean over tasks of the test r, of its difference from MSE with a 95 % t interval, and of the std ratio.
Objectives come from ``training.objective``, as in a real run.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from training.c_mixup import draw_mixture
from training.config import Config
from training.label_density import density_weights
from training.objective import Objective, make_objective

TASKS = 20
INPUTS, HIDDEN, TRAIN, TEST, STEPS, BATCH, RATE = 8, 32, 300, 4000, 400, 32, 0.005

OBJECTIVES: dict[str, Config] = {
    "MSE": Config(loss="mse"),
    "Huber": Config(loss="huber"),
    "MAE": Config(loss="mae"),
    "quantile": Config(loss="quantile"),
    "β-NLL 0.5": Config(loss="beta_nll"),
    "HL-Gauss": Config(loss="hl_gauss"),
    "CCC": Config(loss="ccc"),
    "Balanced MSE, noise 0.3": Config(loss="balanced_mse"),
    "Balanced MSE, noise 1.0": Config(loss="balanced_mse", balanced_mse_noise=1.0),
    "MSE + variance ratio, λ 0.5": Config(loss="mse", variance_lambda=0.5),
    "MSE + variance ratio, λ 5": Config(loss="mse", variance_lambda=5.0),
    "MSE + std hinge, λ 1": Config(loss="mse", variance_lambda=1.0, penalty="std_hinge"),
    "MSE + KL of moments, λ 1": Config(loss="mse", variance_lambda=1.0, penalty="kl_moments"),
    "MSE + Wasserstein, λ 1": Config(loss="mse", variance_lambda=1.0, penalty="wasserstein"),
    "MSE, LDS inverse": Config(loss="mse", label_density_weighting="inverse"),
    "MSE, C-Mixup 2.0": Config(loss="mse", c_mixup_alpha=2.0),
}


def task(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training and test inputs (n, INPUTS) and targets (n,): std 1 and mean 0 over the training samples."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(TRAIN + TEST, INPUTS, generator=generator)
    direction = torch.randn(INPUTS, 2, generator=generator) / INPUTS**0.5
    signal = (0.8 * (x @ direction)).exp().sum(dim=1)
    y = signal + signal[:TRAIN].std() * torch.randn(TRAIN + TEST, generator=generator) * 0.9
    y = (y - y[:TRAIN].mean()) / y[:TRAIN].std(correction=0)
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


def train(config: Config, seed: int, x: Tensor, y: Tensor) -> tuple[nn.Module, Objective]:
    """A network trained on ``config``'s objective."""
    torch.manual_seed(seed)
    objective = make_objective(config, y)
    body, head = nn.Linear(INPUTS, HIDDEN), nn.Linear(HIDDEN, objective.loss.outputs)
    nn.init.normal_(head.weight, std=0.01)
    with torch.no_grad():
        head.bias.copy_(objective.start(0.0))
    model = nn.Sequential(body, nn.GELU(), head)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    weights = density_weights(config, y)
    order, mixing = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)
    for _ in range(STEPS):
        batch = torch.randint(TRAIN, (BATCH,), generator=order)
        inputs, targets = x[batch], y[batch]
        if config.c_mixup_alpha > 0:
            mixture = draw_mixture(targets, alpha=config.c_mixup_alpha, bandwidth=0.5, generator=mixing)
            inputs, targets = mixture.mixed(inputs), mixture.mixed(targets)
        outputs = model(inputs).squeeze(1)
        loss = objective.base_loss(outputs, targets, None if weights is None else weights[batch])
        penalty = objective.penalty_loss(outputs, targets)
        if penalty is not None:
            loss = loss + config.penalty_weight * penalty
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return model, objective


def measure(config: Config, tasks: int) -> np.ndarray:
    """(tasks, 2): test r and std ratio of each task."""
    rows = []
    for seed in range(tasks):
        x, y, test_x, test_y = task(seed)
        model, objective = train(config, seed, x, y)
        with torch.inference_mode():
            y_pred = objective.point(model(test_x).squeeze(1)).double().numpy()
        y_true = test_y.double().numpy()
        rows.append((np.corrcoef(y_true, y_pred)[0, 1], y_pred.std(ddof=0) / y_true.std(ddof=0)))
    return np.array(rows)


def main() -> None:
    """Prints the table as Markdown."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    torch.set_num_threads(1)
    results = {name: measure(config, tasks) for name, config in OBJECTIVES.items()}
    print(f"{tasks} tasks, torch {torch.__version__}\n\n| objective | r | Δr from MSE, 95 % | std ratio α | α/r |")
    print("|---|---|---|---|---|")
    for name, values in results.items():
        r, alpha = values.mean(axis=0)
        difference = values[:, 0] - results["MSE"][:, 0]
        half = stats.t.ppf(0.975, tasks - 1) * difference.std(ddof=1) / tasks**0.5
        shown = "" if name == "MSE" else f"{difference.mean():+.3f} ± {half:.3f}"
        print(f"| {name} | {r:.3f} | {shown} | {alpha:.2f} | {(values[:, 1] / values[:, 0]).mean():.2f} |")


if __name__ == "__main__":
    main()
