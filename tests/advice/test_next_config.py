"""``--next``: the whole config of the next run, which the trainer accepts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runreport.advice.next_config import next_config_text
from runreport.analysis.engine import analyze_run
from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run


def example(repository: Path, name: str) -> Run:
    (run,) = load_runs([str(repository / "example_logs" / "csv" / f"{name}.csv")])
    assert isinstance(run, Run)
    return run


def test_the_next_config_of_run4_ends_its_warmup_and_changes_nothing_else(repository: Path) -> None:
    run = example(repository, "run4")
    text = next_config_text(analyze_run(run))
    config = yaml.safe_load(text)
    expected = dict(run.config) | {"warmup_unit": "step", "run_name": "run4_next"}
    assert config == expected
    assert "# warmup_unit: 'epoch' -> 'step'" in text
    assert "# Refuted if" in text


def test_the_trainer_accepts_it(repository: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `train`")
    from training.config_file import parse_config

    config = parse_config(yaml.safe_load(next_config_text(analyze_run(example(repository, "run4")))))
    assert config.warmup_unit == "step"
    assert config.run_name == "run4_next"


def test_no_config_or_no_patch_is_refused_in_one_line(repository: Path) -> None:
    with pytest.raises(InputError, match="no config"):
        next_config_text(analyze_run(Run(name="x", format="native", files={})))
    with pytest.raises(InputError, match="no advice that changes a setting"):
        next_config_text(analyze_run(example(repository, "../diabetes/csv/diabetes")))
