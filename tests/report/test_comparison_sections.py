"""The comparison's page, terminal lines, chart and JSON: what a reader sees of a design, and of runs without one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.cli import app
from runreport.compare.engine import compare_runs
from runreport.compare.record import Comparison
from runreport.marks import STRONG, plain, strong
from runreport.report.build import build_report
from runreport.report.charts_factors import factor_chart, level_labels, spread
from runreport.report.comparison_files import design_lines, design_report, write_comparison_files
from runreport.report.factors_json import design_document
from runreport.report.json import jsonable, to_json
from runreport.report.markdown import render_markdown
from runreport.report.sections.comparison import (
    comparison_blocks,
    comparison_sections,
    comparison_title,
    config_blocks,
    runs_table,
    standing,
)
from runreport.report.sections.factors import differences_table, levels_table, noise_sentence, sampling_sentence
from runreport.run import Run

N = 120
TRUTH = np.random.default_rng(5).normal(1.0, 0.5, N)


def one_run(name: str, level: object, seed: int, gain: float, *, predicted: bool = True) -> Analysis:
    rng = np.random.default_rng([seed, round(gain * 100)])
    noise = rng.normal(0.0, 0.3, N)
    y_pred = TRUTH.mean() + gain * (TRUTH - TRUTH.mean() + noise)
    frame = pl.DataFrame({"y_true": TRUTH, "y_pred": y_pred}) if predicted else None
    config = {"variance_lambda": level, "seed": seed, "run_name": name}
    return analyze_run(Run(name=name, format="native", files={}, predictions=frame, split="test", config=config))


@pytest.fixture(scope="module")
def large() -> Comparison:
    runs = [
        one_run(f"l{level}s{seed}", level, seed, gain, predicted=(level, seed) != (10, 4))
        for level, gain in ((0, 0.3), (1, 0.5), (10, 1.3))
        for seed in range(5)
    ]
    return compare_runs(runs)


def test_a_large_design_has_rows_of_levels_and_few_of_runs(large: Comparison) -> None:
    (effect,) = large.effects
    table = levels_table(large.effects)
    assert [row[0] for row in table.rows] == ["0", "1", "10"]
    assert [row[1] for row in table.rows] == ["5", "5", "5 (4 with R²)"]
    r2 = [f["r2"] for name, f in large.finals.items() if name.startswith("l0") and f is not None]
    values = np.array([v for v in r2 if v is not None])
    assert table.rows[0][2].startswith(f"{values.mean():.3f} ± {values.std(ddof=1):.2g}"[:9])
    assert table.rows[0][3] == f"{values.min():.3f} to {values.max():.3f}"
    assert runs_table(large, None) == table, "the terminal shows levels too"
    page = render_markdown(design_report(large))
    assert page.startswith("# `variance_lambda` from 0 to 10: the std ratio rose")
    assert "Of 15 runs 1 has no R² on the test split and is in no mean and no change: l10s4 (level 10)." in page
    assert len(re.findall(r"^\| l\d+s\d", page, re.MULTILINE)) == 7, "three at each end and the one without R²"
    assert "Smallest ΔR²" not in page
    assert len(effect.contrasts) == 2


def test_what_is_bold_was_told_from_noise_and_the_interval_is_said_to_be_unadjusted(large: Comparison) -> None:
    (effect,) = large.effects
    for row, contrast in zip(differences_table(effect, ("r2", "bias")).rows, effect.contrasts, strict=True):
        assert [STRONG in cell for cell in row[1:]] == [contrast.estimates[m].told for m in ("r2", "bias")]
    assert "each interval is its own, unadjusted" in noise_sentence(effect)
    assert "4 to 5 seeds; Student t, paired by seed" in noise_sentence(effect)
    assert sampling_sentence(effect).startswith("Would it hold on other samples? With the noise of these 120 added")


def test_a_runs_own_report_answers_by_setting(large: Comparison) -> None:
    run = one_run("l0s0", 0, 0, 0.3)
    page = render_markdown(build_report(run, large))
    assert "15 runs vary `variance_lambda` (3 levels), with 5 seeds." in page
    assert "With `variance_lambda` raised from 0 to 10, the std ratio differed by" in page
    assert "| l0s0 (this run) |" in page


def test_the_chart_has_a_dot_a_run_and_a_mean_a_level(large: Comparison, tmp_path: Path) -> None:
    (effect,) = large.effects
    chart = factor_chart(effect, large.finals)
    assert chart is not None
    panels = chart.to_dict()["vconcat"]
    dots = panels[0]["layer"][0]["data"]["values"]
    assert len(dots) == 14, "the run without R² is no dot"
    means = panels[0]["layer"][2]["data"]["values"]
    assert [m["level"] for m in means] == ["0", "1", "10"]
    assert means[0]["mean"] == pytest.approx(effect.summaries[0]["r2"].mean, rel=1e-5)
    assert level_labels(effect.factor) == ["0", "1", "10"]
    assert spread(2) == [-0.5, 0.5]
    first = write_comparison_files(large, tmp_path)
    assert [p.name for p in first.charts] == ["comparison.factor-1.svg"]
    assert "](comparison.factor-1.svg)" in first.report.read_text(encoding="utf-8")
    drawn = first.charts[0].read_bytes()
    assert drawn.startswith(b"<svg")
    assert write_comparison_files(large, tmp_path).charts[0].read_bytes() == drawn


def test_the_json_holds_every_estimate(large: Comparison) -> None:
    document = json.loads(to_json(jsonable(design_document(large))))
    (factor,) = document["factors"]
    assert factor["keys"] == ["variance_lambda"]
    assert [level["value"] for level in factor["levels"]] == [0, 1, 10]
    change = factor["changes"][1]
    assert (change["from"], change["to"]) == ("0", "10")
    estimate = large.effects[0].contrasts[1].estimates["wrong_spread"]
    assert change["metrics"]["wrong_spread"]["change"] == estimate.estimate
    assert change["metrics"]["wrong_spread"]["n"] == 4
    assert factor["test_samples"] == N
    assert set(factor["trends"]) == set(change["metrics"])
    assert document["no_design"] is None


def test_terminal_lines_are_plain_text(large: Comparison) -> None:
    lines = design_lines(large)
    assert lines[0].startswith("With variance_lambda raised from 0 to 10, the std ratio differed by +")
    assert all(line == plain(line) for line in lines)


def test_small_comparisons_say_what_an_interval_and_a_verdict_are() -> None:
    runs = [one_run(f"r{i}", i, 1, gain) for i, gain in enumerate((0.3, 0.6, 1.3))]
    comparison = compare_runs(runs)
    sections = {s.id: s for s in comparison_sections(comparison)}
    assert list(sections) == ["comparison", "pairs", "settings"]
    text = " ".join(plain(b.text) for b in sections["pairs"].blocks if b.kind == "paragraph")
    assert "Each interval is its pair's own, unadjusted" in text
    assert comparison.effects == ()
    bare = one_run("bare", 9, 1, 0.3, predicted=False)
    assert standing(compare_runs([*runs, bare])).endswith("Not paired: bare (no predictions).")


def test_a_setting_that_a_config_does_not_give_is_not_known() -> None:
    runs = [one_run(f"r{i}", i, 1, 0.3 + 0.1 * i) for i in range(2)]
    other = one_run("other", 1, 1, 0.5).run
    config = {"run_name": "other", "seed": 1}
    third = analyze_run(
        Run(name="other", format="native", files={}, predictions=other.predictions, split="test", config=config)
    )
    tables = [b for b in config_blocks(compare_runs([*runs, third])) if b.kind == "table"]
    row = next(row for row in tables[-1].rows if "variance_lambda" in row[0])
    assert row[1:] == ("0", "1", "not known")


def test_the_title_ranks_only_beyond_noise() -> None:
    clear = [one_run(f"r{i}", i, 1, gain) for i, gain in enumerate((0.9, 3.0))]
    assert re.fullmatch(r"Highest R² of 2 runs: r0 \(0\.\d\d\), beyond noise", comparison_title(compare_runs(clear)))
    close = [one_run(f"r{i}", i, 1, gain) for i, gain in enumerate((0.6, 0.62))]
    assert re.fullmatch(
        r"Highest R² of 2 runs: r\d \(0\.\d\d\), but not shown to be better than r\d",
        comparison_title(compare_runs(close)),
    )
    bare = [one_run("a", 1, 1, 0.3, predicted=False), one_run("b", 2, 1, 0.3, predicted=False)]
    assert comparison_title(compare_runs(bare)) == "Comparison of a and b: no ranking by R² is supported"


def test_a_setting_that_most_runs_share_shows_who_differs() -> None:
    runs = [one_run(f"r{i}", level, 1, 0.3 + 0.1 * i) for i, level in enumerate((1, 1, 7))]
    table, said = config_blocks(compare_runs(runs))[:2]
    assert table.kind == "table"
    assert table.rows[0][1:] == ("1", "1", strong("7"))
    assert said.kind == "paragraph"
    assert said.text.endswith("Bold: other than most of these runs.")


def test_a_run_beside_others_folds_pairs_and_settings() -> None:
    runs = [one_run(f"r{i}", i, 1, gain) for i, gain in enumerate((0.3, 0.6, 1.3))]
    blocks = comparison_blocks(compare_runs(runs), here="r1")
    folds = [b for b in blocks if b.kind == "fold"]
    assert [f.summary for f in folds] == ["Differences to the other runs, pair by pair", "Settings that differ"]
    pairs = next(b for b in folds[0].blocks if b.kind == "table")
    assert all("r1" in row[0] for row in pairs.rows)
    text = render_markdown(build_report(runs[1], compare_runs(runs)))
    assert "<details>\n<summary>Settings that differ</summary>\n\n| setting |" in text


def test_compare_prints_the_answer_and_says_what_one_run_lacks(tmp_path: Path) -> None:
    for level, gain in ((0, 0.3), (10, 1.3)):
        for seed in range(5):
            name = f"l{level}s{seed}"
            frame = one_run(name, level, seed, gain).run.predictions
            assert frame is not None
            frame.write_csv(tmp_path / f"predictions_{name}.csv")
            (tmp_path / f"{name}.csv").write_text("epoch,val_loss,r2\n1,0.5,0.1\n2,0.4,0.2\n")
            config = {"variance_lambda": level, "seed": seed, "run_name": name}
            (tmp_path / f"metrics_{name}.json").write_text(json.dumps({"config": config, "split": "test"}))
    paths = [str(tmp_path / f"l{level}s{seed}.csv") for level in (0, 10) for seed in range(5)]
    result = CliRunner().invoke(app, ["compare", *paths, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.stderr
    assert "With variance_lambda raised from 0 to 10" in result.stdout
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["comparison.factor-1.svg", "comparison.md"]
    whole = CliRunner().invoke(app, ["compare", *paths, "--format", "json"])
    assert json.loads(whole.stdout)["comparison"]["factors"][0]["keys"] == ["variance_lambda"]
    one = CliRunner().invoke(app, ["compare", paths[0]])
    assert one.exit_code == 2
    assert "1 run; expected two or more (names, files, or a folder or glob that holds several)" in one.stderr
