"""Runs beside each other: paired on the same samples, refused with the reason on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import trim_mean
from sklearn.metrics import mean_absolute_error, r2_score

from runreport.analysis.record import Analysis
from runreport.compare.configs import config_differences, flat, seed_groups
from runreport.compare.engine import compare_runs
from runreport.compare.samples import Matched, match_samples
from runreport.context import Context, Final
from runreport.run import Run

Numbers = Sequence[float] | NDArray[np.float64]
Keys = Mapping[str, Sequence[str] | pl.Series]

N = 240
RNG = np.random.default_rng(7)
TRUTH = RNG.normal(1.0, 0.5, N)
GOOD = TRUTH + RNG.normal(0.0, 0.1, N)
TWIN = TRUTH + RNG.normal(0.0, 0.1, N)
POOR = RNG.normal(1.0, 0.5, N)


def frame(pred: Numbers, keys: Keys | None = None, *, true: Numbers | None = None) -> pl.DataFrame:
    return pl.DataFrame({"y_true": TRUTH if true is None else true, "y_pred": pred, **(keys or {})})


def analysis(
    name: str,
    predictions: pl.DataFrame | None = None,
    *,
    split: str = "test",
    config: Mapping[str, object] | None = None,
    **figures: float | None,
) -> Analysis:
    """An analysed run with these figures: from the predictions where there are some."""
    if predictions is not None:
        true, pred = predictions["y_true"].to_numpy(), predictions["y_pred"].to_numpy()
        computed: dict[str, float | None] = {
            "r2": float(r2_score(true, pred)),
            "pearson_r": float(np.corrcoef(true, pred)[0, 1]),
            "mae": float(mean_absolute_error(true, pred)),
            "true_mean": float(true.mean()),
            "true_std": float(true.std(ddof=0)),
        }
        figures = computed | figures
    run = Run(name=name, format="native", files={}, predictions=predictions, split=split, config=config or {})
    n = predictions.height if predictions is not None else 144
    final = Final(split=split, basis="summary", estimates=figures, n=n) if figures else None
    return Analysis(
        context=Context(run=run, final=final),
        findings=(),
        not_checked=(),
        clear=(),
        disabled=(),
        criteria=(),
        advice=(),
        tests_made=0,
    )


def matched(*analyses: Analysis) -> Matched:
    result = match_samples(analyses)
    assert isinstance(result, Matched), result
    return result


def reason(*analyses: Analysis) -> str:
    result = match_samples(analyses)
    assert isinstance(result, str)
    return result


def test_the_same_rows_are_paired_as_they_stand() -> None:
    both = matched(analysis("a", frame(GOOD)), analysis("b", frame(POOR)))
    assert list(both.y_pred) == ["a", "b"]
    assert np.array_equal(both.y_true, TRUTH)
    assert np.array_equal(both.y_pred["b"], POOR)


@pytest.mark.parametrize("keys", [("local_indices",), ("flight_name", "local_indices")])
def test_rows_in_another_order_are_matched_by_their_key(keys: tuple[str, ...]) -> None:
    if keys == ("local_indices",):
        columns: Keys = {"local_indices": [str(i) for i in range(N)]}
    else:
        columns = {
            "flight_name": [f"f{i // 80}" for i in range(N)],
            "local_indices": [str(i % 80) for i in range(N)],
        }
    first = frame(GOOD, columns)
    order = np.random.default_rng(1).permutation(N)
    second = frame(POOR, columns)[order]
    both = matched(analysis("a", first), analysis("b", second))
    assert np.array_equal(both.y_pred["b"], POOR)
    assert np.array_equal(both.y_pred["a"], GOOD)


def test_another_order_without_a_unique_key_is_not_guessed_at() -> None:
    first = frame(GOOD, {"flight_name": [f"f{i // 80}" for i in range(N)]})
    assert "no unique key" in reason(analysis("a", first), analysis("b", first.reverse()))


def test_keys_of_another_type_or_missing_rows_are_no_crash() -> None:
    first = frame(GOOD, {"local_indices": [str(i) for i in range(N)]})
    other = frame(POOR, {"local_indices": [str(i + 1) for i in range(N)]})
    assert "different samples (their local_indices differ)" in reason(analysis("a", first), analysis("b", other))
    unkeyed = frame(POOR, {"local_indices": pl.Series([None] * N, dtype=pl.String)})
    assert isinstance(match_samples([analysis("a", first), analysis("b", unkeyed)]), str)


def test_a_key_that_repeats_in_the_other_run_is_no_match() -> None:
    first = frame(GOOD, {"local_indices": [str(i) for i in range(N)]})
    repeated = frame(POOR, {"local_indices": ["0", *(str(i) for i in range(N - 1))]})
    assert "different samples" in reason(analysis("a", first), analysis("b", repeated))


def test_other_truth_is_other_samples() -> None:
    assert reason(analysis("a", frame(GOOD)), analysis("b", frame(POOR, true=TRUTH + 0.01))) == (
        "a and b were evaluated on different samples (their true values differ)"
    )


def test_truth_printed_as_float32_is_the_same_truth() -> None:
    printed = [float(f"{t:.7g}") for t in TRUTH.astype(np.float32)]
    assert isinstance(match_samples([analysis("a", frame(GOOD)), analysis("b", frame(POOR, true=printed))]), Matched)


def test_other_counts_splits_and_missing_predictions_are_named() -> None:
    a = analysis("a", frame(GOOD))
    assert reason(a, analysis("b", frame(POOR)[:100])) == "a was evaluated on 240 samples and b on 100"
    assert "different splits (test and val)" in reason(a, analysis("b", frame(POOR), split="val"))
    assert reason(a, analysis("b", r2=0.1)).startswith("b has no predictions")
    assert reason(analysis("c", r2=0.1), a, analysis("b", r2=0.1)).startswith("c and b have no predictions")


def test_paired_differences_are_those_of_scikit_learn() -> None:
    comparison = compare_runs([analysis("a", frame(GOOD)), analysis("b", frame(POOR)), analysis("c", frame(TWIN))])
    assert comparison.same_samples is True
    assert comparison.refused is None
    assert comparison.paired is not None
    difference = comparison.paired.difference("a", "b", "r2")
    assert difference.estimate == pytest.approx(r2_score(TRUTH, POOR) - r2_score(TRUTH, GOOD), abs=1e-12)
    assert comparison.paired.difference("a", "c", "mae").estimate == pytest.approx(
        mean_absolute_error(TRUTH, TWIN) - mean_absolute_error(TRUTH, GOOD), abs=1e-12
    )
    assert difference.p_holm is not None
    assert difference.p_holm < 0.01


def test_best_is_computed_and_ties_within_noise_are_ties() -> None:
    runs = {"good": GOOD, "twin": TWIN, "poor": POOR}
    comparison = compare_runs([analysis(name, frame(pred)) for name, pred in runs.items()])
    best = {b.metric: b for b in comparison.best}
    scores = {name: r2_score(TRUTH, pred) for name, pred in runs.items()}
    winner = max(scores, key=lambda name: scores[name])
    assert best["r2"].run == winner
    assert best["r2"].value == pytest.approx(scores[winner], abs=1e-12)
    assert best["r2"].tied == ({"good": "twin", "twin": "good"}[winner],)
    errors = {name: mean_absolute_error(TRUTH, pred) for name, pred in runs.items()}
    assert best["mae"].run == min(errors, key=lambda name: errors[name])


def test_the_published_runs_rank_run_2_not_run_1() -> None:
    published = {"run1": -0.0457, "run2": -0.0226, "run3": -0.2034, "run4": -0.0655}
    maes = {"run1": 0.3965, "run2": 0.3493, "run3": 0.3138, "run4": 0.3457}
    comparison = compare_runs([analysis(name, r2=r2, mae=maes[name]) for name, r2 in published.items()])
    best = {b.metric: b for b in comparison.best}
    assert (best["r2"].run, best["r2"].value, best["r2"].tied) == ("run2", -0.0226, None)
    assert (best["mae"].run, best["mae"].value) == ("run3", 0.3138)
    assert comparison.refused is not None
    assert comparison.paired is None
    assert comparison.same_samples is None


def test_bias_is_ranked_by_its_size_and_a_std_ratio_is_not_ranked() -> None:
    comparison = compare_runs(
        [analysis("a", bias=-0.3, variance_ratio=2.0), analysis("b", bias=0.2, variance_ratio=0.9)]
    )
    (best,) = comparison.best
    assert (best.metric, best.run, best.value) == ("bias", "b", 0.2)


def test_one_known_figure_is_no_ranking() -> None:
    assert compare_runs([analysis("a", r2=0.1), analysis("b", mae=0.1), analysis("c")]).best == ()
    assert compare_runs([analysis("a", r2=0.1)]).refused == "a comparison needs two runs"


def test_figures_of_different_samples_are_not_said_to_be_the_same() -> None:
    comparison = compare_runs([analysis("a", frame(GOOD)), analysis("b", frame(POOR, true=TRUTH + 1.0))])
    assert comparison.same_samples is False
    assert all(best.tied is None for best in comparison.best)


def test_the_same_input_gives_the_same_comparison() -> None:
    runs = [analysis("a", frame(GOOD)), analysis("b", frame(TWIN))]
    assert compare_runs(runs, 3).paired == compare_runs(runs, 3).paired


def test_flat_settings() -> None:
    config = {"a": 1, "data": {"seed": 2, "deep": {"x": None}}, "list": [1, {"y": 2}], "empty": {}}
    assert flat(config) == {"a": 1, "data.seed": 2, "data.deep.x": None, "list": [1, {"y": 2}]}


def test_settings_that_differ() -> None:
    runs = [
        analysis("a", config={"lr": 0.1, "batch": 20, "opt": {"name": "adam"}, "run_name": "a", "flag": True}),
        analysis("b", config={"lr": 0.1, "batch": 20.0, "opt": {"name": "sgd"}, "run_name": "b", "flag": 1}),
        analysis("c"),
    ]
    assert config_differences(runs) == {
        "opt.name": {"a": "adam", "b": "sgd"},
        "flag": {"a": True, "b": 1},
    }
    assert compare_runs(runs).without_config == ("c",)


def test_a_setting_that_a_config_does_not_give_is_unknown_and_no_difference() -> None:
    a, b = analysis("a", config={"lr": 0.1, "patience": 3}), analysis("b", config={"lr": 0.1})
    assert config_differences([a, b]) == {}
    other = analysis("c", config={"lr": 0.1, "patience": None})
    assert config_differences([a, b, other]) == {"patience": {"a": 3, "c": None}}


def test_a_run_that_cannot_be_paired_does_not_stop_the_others() -> None:
    runs = [
        analysis("bare", r2=0.999),
        analysis("a", frame(GOOD)),
        analysis("other", frame(TWIN, true=TRUTH + 1.0)),
        analysis("b", frame(POOR)),
    ]
    comparison = compare_runs(runs)
    assert comparison.paired is not None
    assert comparison.paired.names == ("a", "b")
    assert comparison.refused is None
    assert comparison.unpaired["bare"] == "no predictions"
    assert "their true values differ" in comparison.unpaired["other"]
    assert comparison.same_samples is False
    best = {b.metric: b for b in comparison.best}
    assert (best["r2"].run, best["r2"].tied) == ("bare", None)
    assert (best["mae"].run, best["mae"].tied, best["mae"].untested) == ("a", (), ("other",))


def test_a_validation_figure_is_no_rival_of_test_figures() -> None:
    runs = [analysis("a", r2=0.1), analysis("b", r2=0.2), analysis("v", split="validation", r2=0.9)]
    (best,) = compare_runs(runs).best
    assert (best.run, best.untested) == ("b", ("a", "v"))


def test_the_largest_group_on_the_same_samples_is_paired() -> None:
    odd = analysis("odd", frame(GOOD, true=TRUTH + 1.0))
    both = matched(odd, analysis("a", frame(GOOD)), analysis("b", frame(POOR)))
    assert list(both.y_pred) == ["a", "b"]
    assert list(both.left_out) == ["odd"]
    assert np.array_equal(both.y_true, TRUTH)


def test_the_best_stands_alone_only_where_all_others_were_told_from_it() -> None:
    three = [analysis("good", frame(GOOD)), analysis("twin", frame(TWIN)), analysis("poor", frame(POOR))]
    assert not next(b for b in compare_runs(three).best if b.metric == "r2").alone
    two = [three[0], three[2]]
    assert next(b for b in compare_runs(two).best if b.metric == "r2").alone
    untested = next(b for b in compare_runs([*two, analysis("bare", r2=-9.0)]).best if b.metric == "r2")
    assert (untested.tied, untested.untested, untested.alone) == ((), ("bare",), False)


def seeds(scores: Sequence[float | None], **extra: object) -> list[Analysis]:
    return [analysis(f"s{i}", config={"lr": 0.1, "seed": i, **extra}, r2=r2) for i, r2 in enumerate(scores)]


def test_runs_that_differ_in_their_seed_only_are_a_group() -> None:
    others = [analysis("x", config={"lr": 0.2, "seed": 0}, r2=0.5), analysis("y", r2=0.5)]
    (group,) = seed_groups([*seeds([0.1, 0.2]), *others])
    assert group.runs == ("s0", "s1")
    assert group.r2 == (0.1, 0.2)


def test_few_seeds_give_no_spread() -> None:
    (group,) = seed_groups(seeds([0.1, 0.2, 0.3, 0.4]))
    assert (group.interquartile_mean, group.interval) == (None, None)


@pytest.mark.parametrize("count", [5, 8, 11])
def test_the_interquartile_mean_is_a_quarter_trimmed_mean(count: int) -> None:
    scores = [float(v) for v in np.random.default_rng(count).normal(0.3, 0.1, count)]
    (group,) = seed_groups(seeds(scores))
    assert group.interquartile_mean == pytest.approx(trim_mean(scores, 0.25), abs=1e-12)
    assert group.interval is not None
    assert group.interval[0] < trim_mean(scores, 0.25) < group.interval[1]


def test_a_seed_without_a_score_is_not_counted() -> None:
    (group,) = seed_groups(seeds([0.1, None, 0.3, 0.4, 0.5]))
    assert len(group.runs) == 5
    assert len(group.r2) == 4
    assert group.interquartile_mean is None
