"""Our own reports, against the logs that they were written from: an end-to-end test of both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Verdict

LEAST_SUPPORTED = 0.7
"""Share of the numbers of such a report that its tables and sentences tie to a figure; 0.73 to 0.94 when this was written."""


@pytest.fixture(scope="module")
def published(repository: Path) -> list[Analysis]:
    loaded = load_runs([str(repository / "example_logs" / "published")])
    return [analyze_run(r) for r in loaded if isinstance(r, Run)]


@pytest.mark.parametrize("name", ["run1", "run2", "run3", "run4"])
def test_reports_on_published_figures(name: str, published: list[Analysis], repository: Path) -> None:
    check(repository / "reports" / "published" / f"{name}.md", published, name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "logs"),
    [("run4.md", "csv/run4.csv"), ("healthy.md", "csv/healthy.csv"), ("diabetes/diabetes.md", "diabetes")],
)
def test_reports_on_predictions(page: str, logs: str, repository: Path) -> None:
    runs = [r for r in load_runs([str(repository / "example_logs" / logs)]) if isinstance(r, Run)]
    check(
        repository / "reports" / page, [analyze_run(r) for r in runs], runs[0].name, least=0.5
    )  # the other runs' figures are in the page too


def check(page: Path, analyses: list[Analysis], run: str, least: float = LEAST_SUPPORTED) -> None:
    found = verify(page.read_text(encoding="utf-8"), analyses, file_stem=page.stem)
    assert found.subject == run
    assert [c for c in found.claims if c.verdict is Verdict.CONTRADICTED] == []
    counts = Counter(c.verdict for c in found.claims)
    assert counts[Verdict.SUPPORTED] / len(found.claims) > least, counts
