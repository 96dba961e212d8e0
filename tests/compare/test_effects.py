"""Sweeps whose truth was planted: what is found must be what was put in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.design import Design, Effect, Estimate
from runreport.compare.effects import rank_slope
from runreport.compare.engine import compare_runs
from runreport.compare.record import Comparison
from runreport.report.sections.factor_sentences import answer, answers, budget_answer, headline
from runreport.run import Run

N = 200
TRUTH = np.random.default_rng(5).normal(1.0, 0.5, N)
Z = (TRUTH - TRUTH.mean()) / TRUTH.std(ddof=0)
Plant = Callable[[float], tuple[float, float, float]]


def predictions(r: float, alpha: float, beta: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Predictions with exactly this r, α and β."""
    noise = rng.normal(size=N)
    noise -= noise.mean()
    noise -= Z * (noise @ Z) / (Z @ Z)
    mixed = r * Z + np.sqrt(1.0 - r * r) * noise / noise.std(ddof=0)
    return np.asarray(TRUTH.mean() + TRUTH.std(ddof=0) * (beta + alpha * mixed))


def one_run(name: str, config: Mapping[str, object], y_pred: NDArray[np.float64] | None) -> Analysis:
    frame = None if y_pred is None else pl.DataFrame({"y_true": TRUTH, "y_pred": y_pred})
    return analyze_run(Run(name=name, format="native", files={}, predictions=frame, split="test", config=config))


def sweep(plant: Plant, levels: tuple[float, ...] = (0.0, 10.0), seeds: int = 5, noise: float = 0.01) -> list[Analysis]:
    """level -> (r, α, β), with noise over seeds on each."""
    out = []
    for level in levels:
        for seed in range(seeds):
            rng = np.random.default_rng([seed, round(level * 10)])
            r, alpha, beta = (v + noise * rng.normal() for v in plant(level))
            config = {"variance_lambda": level, "seed": seed, "run_name": f"l{level}s{seed}"}
            out.append(one_run(f"l{level}s{seed}", config, predictions(r, alpha, beta, rng)))
    return out


def effect(comparison: Comparison) -> Effect:
    (found,) = comparison.effects
    return found


def last(comparison: Comparison) -> Mapping[str, Estimate]:
    return effect(comparison).contrasts[-1].estimates


def told(comparison: Comparison) -> dict[str, str]:
    return {m: "rose" if (e.estimate or 0.0) > 0 else "fell" for m, e in last(comparison).items() if e.told}


def test_an_effect_on_the_ratio_only() -> None:
    comparison = compare_runs(sweep(lambda level: (0.5, 0.4 if level == 0 else 0.9, 0.0)))
    assert told(comparison) == {"variance_ratio": "rose", "wrong_spread": "rose", "r2": "fell"}
    assert last(comparison)["variance_ratio"].estimate == pytest.approx(0.5, abs=0.02)
    (sentence,) = answers(effect(comparison))[:1]
    assert sentence.startswith("With \ue002variance_lambda\ue003 raised from 0 to 10, the std ratio differed by +0.")
    assert "over 5 seeds" in sentence
    assert headline(effect(comparison)).endswith("from 0 to 10: the std ratio rose and R² fell")
    assert "wrong spread rose by 0." in budget_answer(effect(comparison))
    assert "no change of missing information or wrong mean was detected" in budget_answer(effect(comparison))


def test_an_effect_on_r_only() -> None:
    comparison = compare_runs(sweep(lambda level: (0.3 if level == 0 else 0.7, 0.5, 0.0)))
    assert told(comparison) == {"pearson_r": "rose", "r2": "rose", "missing_information": "fell"}
    sentence = answers(effect(comparison))[0]
    assert "\ue000R² rose\ue001" in sentence
    assert "no change of the std ratio was detected\ue001 (it may lie anywhere from -0." in sentence


def test_an_effect_on_both_and_on_none() -> None:
    both = compare_runs(sweep(lambda level: (0.3, 0.1, 0.0) if level == 0 else (0.8, 0.8, 0.0)))
    assert headline(effect(both)).endswith("the std ratio rose and R² rose")
    none = compare_runs(sweep(lambda level: (0.5, 0.5, 0.0)))
    assert told(none) == {}
    assert headline(effect(none)).endswith("no change of the std ratio was detected and no change of R² was detected")


def test_figures_and_differences_are_those_of_scikit_learn() -> None:
    runs = sweep(lambda level: (0.5, 0.4 if level == 0 else 0.9, 0.1))
    scores = {
        a.run.name: r2_score(a.run.predictions["y_true"], a.run.predictions["y_pred"])
        for a in runs
        if a.run.predictions is not None
    }
    pairs = [scores[f"l10.0s{s}"] - scores[f"l0.0s{s}"] for s in range(5)]
    e = last(compare_runs(runs))["r2"]
    assert e.estimate == pytest.approx(np.mean(pairs), abs=1e-12)
    assert e.se == pytest.approx(np.std(pairs, ddof=1) / np.sqrt(5), abs=1e-12)
    terms = [last(compare_runs(runs))[m].estimate for m in ("missing_information", "wrong_spread", "wrong_mean")]
    assert -sum(t for t in terms if t is not None) == pytest.approx(np.mean(pairs), abs=1e-12)


def test_a_peak_between_the_ends_is_told() -> None:
    runs = sweep(lambda level: (0.6 if level == 1.0 else 0.3, 0.4, 0.0), levels=(0.0, 1.0, 10.0))
    said = answers(effect(compare_runs(runs)))
    assert "no change of R² was detected" in said[0]
    assert said[1] == "Between them, R² was higher at 1 than at 0."


def test_another_factor_is_held_fixed() -> None:
    runs = []
    for lr in (0.1, 0.01):
        for level in (0.0, 10.0):
            for seed in range(4):
                rng = np.random.default_rng([seed, int(level), int(lr * 100)])
                r = (0.3 if lr == 0.1 else 0.8) + 0.01 * rng.normal()
                alpha = (0.4 if level == 0 else 0.6) + 0.01 * rng.normal()
                config = {"lr": lr, "variance_lambda": level, "seed": seed}
                runs.append(one_run(f"{lr}-{level}-{seed}", config, predictions(r, alpha, 0.0, rng)))
    comparison = compare_runs(runs)
    by_key = {e.factor.keys[0]: e.contrasts[0].estimates for e in comparison.effects}
    assert by_key["variance_lambda"]["variance_ratio"].estimate == pytest.approx(0.2, abs=0.02)
    assert by_key["variance_lambda"]["variance_ratio"].told
    assert not by_key["variance_lambda"]["pearson_r"].told
    assert by_key["lr"]["pearson_r"].estimate == pytest.approx(-0.5, abs=0.02)  # from 0.01 to 0.1
    assert not by_key["lr"]["variance_ratio"].told
    assert {e.n for e in by_key["lr"].values()} == {4}, "a seed is one replicate, in however many blocks"


def test_a_large_design_is_not_compared_pair_by_pair() -> None:
    comparison = compare_runs(sweep(lambda level: (0.5, 0.5, 0.0)))
    assert comparison.large
    assert comparison.paired is None
    assert comparison.best == ()
    assert comparison.same_samples is True
    small = compare_runs(sweep(lambda level: (0.5, 0.5, 0.0), seeds=3))
    assert small.paired is not None
    assert len(small.effects) == 1


def test_failed_runs_are_counted_and_in_no_mean() -> None:
    runs = sweep(lambda level: (0.5, 0.4 if level == 0 else 0.9, 0.0))
    failed = [one_run(a.run.name, a.run.config, None) if a.run.name == "l10.0s3" else a for a in runs]
    comparison = compare_runs(failed)
    assert effect(comparison).factor.levels[1].without_r2 == ("l10.0s3",)
    assert last(comparison)["r2"].n == 4
    assert effect(comparison).summaries[1]["r2"].n == 4
    gone = compare_runs([one_run(a.run.name, a.run.config, None) if a.run.name.startswith("l10") else a for a in runs])
    assert "No two levels" in answers(effect(gone))[0]
    assert "not known" in budget_answer(effect(gone))


def test_constant_predictions_have_a_budget_and_no_r() -> None:
    runs = sweep(lambda level: (0.5, 0.5, 0.0))
    flat = [one_run(a.run.name, a.run.config, np.full(N, 1.0)) if a.run.name.startswith("l10") else a for a in runs]
    found = effect(compare_runs(flat))
    assert found.contrasts[0].estimates["pearson_r"].estimate is None
    assert found.contrasts[0].estimates["variance_ratio"].estimate == pytest.approx(-0.5, abs=0.02)
    assert found.summaries[1]["missing_information"].mean == 1.0


def test_sampling_noise_widens_and_is_that_of_a_bootstrap() -> None:
    runs = sweep(lambda level: (0.5, 0.4 if level == 0 else 0.9, 0.0))
    e = last(compare_runs(runs))["r2"]
    assert e.sampling_se is not None
    assert e.interval is not None
    assert e.wide_interval is not None
    assert e.wide_interval[0] < e.interval[0] < e.interval[1] < e.wide_interval[1]
    rng = np.random.default_rng(1)
    preds = {a.run.name: a.run.predictions["y_pred"].to_numpy() for a in runs if a.run.predictions is not None}
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, N, N)
        score = {name: r2_score(TRUTH[rows], p[rows]) for name, p in preds.items()}
        drawn.append(np.mean([score[f"l10.0s{s}"] - score[f"l0.0s{s}"] for s in range(5)]))
    # The rows are independent, so blocks of one row or a few give what single rows give; 400 draws know it to 3.5 %.
    assert e.sampling_se == pytest.approx(np.std(drawn, ddof=1), rel=0.25)


def test_levels_without_order_are_answered_one_by_one() -> None:
    runs = []
    for k, loss in enumerate(("huber", "mse", "ccc")):
        for seed in range(3):
            rng = np.random.default_rng([seed, k])
            y_pred = predictions(0.5 + 0.01 * rng.normal(), 0.4 + 0.2 * k + 0.01 * rng.normal(), 0.0, rng)
            runs.append(one_run(f"{loss}{seed}", {"loss": loss, "seed": seed}, y_pred))
    found = effect(compare_runs(runs))
    assert found.trends == {}
    said = answers(found)
    assert [s.partition(",")[0] for s in said] == [
        "With \ue002loss\ue003 changed from huber to mse",
        "With \ue002loss\ue003 changed from huber to ccc",
    ]


def test_two_seeds_are_shown_and_not_judged() -> None:
    found = effect(compare_runs(sweep(lambda level: (0.5, 0.2 if level == 0 else 0.9, 0.0), seeds=2)))
    text = answer(found, found.contrasts[0])
    assert "over 2 seeds" in text
    assert "cannot be judged (2 seeds: fewer than 3)" in text
    assert "rose" not in text


def test_the_slope_over_ranks_is_that_of_a_line() -> None:
    weights = rank_slope(5)
    y = np.array([0.3, 0.1, 0.5, 0.9, 0.2])
    assert sum(weights[i] * y[i] for i in range(5)) == pytest.approx(np.polyfit(np.arange(5), y, 1)[0])


def test_a_run_of_another_split_gives_no_figure() -> None:
    runs = sweep(lambda level: (0.5, 0.5, 0.0))
    other = runs[-1].run
    moved = analyze_run(
        Run(name=other.name, format="native", files={}, predictions=other.predictions, split="val", config=other.config)
    )
    comparison = compare_runs([*runs[:-1], moved])
    assert isinstance(comparison.design, Design)
    assert comparison.design.split == "test"
    assert effect(comparison).factor.levels[1].without_r2 == (other.name,)
    assert last(comparison)["r2"].n == 4
