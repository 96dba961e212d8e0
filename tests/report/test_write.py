"""Files of reports: whole, in their folder, the same each time; and sections that have no data are named."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.report.build import build_report
from runreport.report.json import jsonable, to_json
from runreport.report.markdown import render_markdown
from runreport.report.model import Section
from runreport.report.sections import SECTIONS
from runreport.report.write import MAX_NAME, file_names, write_text
from runreport.run import Run

HISTORY = "epoch,val_loss,r2,variance_ratio\n" + "".join(
    f"{i},{1 / i:.4f},{0.5 - 1 / i:.4f},0.6\n" for i in range(1, 9)
)


def analysed(folder: Path, files: dict[str, str]) -> Analysis:
    for name, content in files.items():
        (folder / name).write_text(content)
    (run,) = load_runs([str(folder)])
    assert isinstance(run, Run)
    return analyze_run(run)


def titles(analysis: Analysis) -> list[str]:
    return [section.title for section in build_report(analysis).sections]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/abs", "a\\b", "..", ".", "", "CON ", "x" * 400, "名前", "\x00", "-rf", "a\nb"]
)
def test_a_file_name_is_one_harmless_part(name: str) -> None:
    (made,) = file_names([name])
    assert Path(made).name == made
    assert made not in ("", ".", "..")
    assert not made.startswith(("-", "."))
    assert len(f"{made}.predictions.svg") <= MAX_NAME + 20
    assert made.isascii()


def test_file_names_differ_even_where_case_does_not_count() -> None:
    names = ["run1", "Run1", "RUN1", "run1-2", "run 1", "run-1", "x" * 300, "x" * 301]
    made = file_names(names)
    assert made[0] == "run1"
    assert len({m.lower() for m in made}) == len(names)


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.md"
    write_text(path, "α\nβ\n")
    assert path.read_bytes() == "α\nβ\n".encode()
    write_text(path, "γ\n")
    assert path.read_text(encoding="utf-8") == "γ\n"
    assert [p.name for p in path.parent.iterdir()] == ["a.md"]


def test_an_interrupted_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.md"
    path.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match=r"a\.md: cannot be written \(No space left on device\)"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.md"]


def test_a_run_of_metrics_alone_names_the_sections_it_has_no_data_for(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, {"metrics_a.json": '{"r2": 0.5, "mae": 0.1}'})
    text = render_markdown(build_report(analysis))
    shown = titles(analysis)
    assert "Training progression" not in shown
    assert shown[-1] == "Not checked"
    closing = text[text.index("## Not checked") :]
    assert "Section “Training progression” is left out: no history file." in closing
    assert "Section “Comparison with the other runs” is left out: no other run was given." in closing
    # Every section is either shown or named as left out.
    assert closing.count("is left out: ") + len(shown) - 1 == len(SECTIONS)


def test_a_history_alone_claims_no_distribution(tmp_path: Path) -> None:
    analysis = analysed(tmp_path, {"a.csv": HISTORY})
    text = render_markdown(build_report(analysis))
    assert "## Training progression" in text
    assert "## Prediction distribution" not in text
    assert "Section “Prediction distribution” is left out" in text


@pytest.mark.parametrize(
    "files",
    [
        {"a.csv": HISTORY},
        {"predictions_a.csv": "y_true,y_pred\n1,2\n"},
        {"metrics_a.json": '{"mae": 1}'},
        {"a.csv": "epoch,val_loss\n1,nan\n"},
    ],
)
def test_every_section_has_something_in_it(tmp_path: Path, files: dict[str, str]) -> None:
    report = build_report(analysed(tmp_path, files))
    assert all(isinstance(section, Section) and section.blocks for section in report.sections)
    assert len({section.id for section in report.sections}) == len(report.sections)
    text = render_markdown(report)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text
    assert MarkdownIt().parse(text)[0].tag == "h1"


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ([0, 1, 2], "epochs 0 to 2"),
        ([1, 2, 3], "3 epochs"),
        ([0.5, 1, 1.5], "epochs 0.5 to 1.5"),
        ([1, 10, 47], "47 epochs"),
    ],
)
def test_epochs_from_zero_are_not_miscounted(tmp_path: Path, epochs: list[float], said: str) -> None:
    analysis = analysed(tmp_path, {"a.csv": "epoch,val_loss\n" + "".join(f"{e},0.5\n" for e in epochs)})
    assert any(fact.startswith(said) for fact in build_report(analysis).facts)


def test_jsonable_gives_plain_strict_types() -> None:
    value = {
        "nan": float("nan"),
        "inf": [float("inf"), -1.5],
        3: (1, True, None),
        "path": Path("a") / "b",
        "set": frozenset({"b", "a"}),
        "numpy": [np.float64(0.5), np.float64("nan"), np.int32(3), np.bool_(True)],
        "mark": "\ue000bold\ue001",
    }
    assert jsonable(value) == {
        "nan": None,
        "inf": [None, -1.5],
        "3": [1, True, None],
        "path": "a/b",
        "set": ["a", "b"],
        "numpy": [0.5, None, 3, True],
        "mark": "bold",
    }
    assert type(jsonable(np.float64(0.5))) is float


def test_json_text_is_utf8_whatever_it_holds() -> None:
    assert to_json({"α": "\udcff"}) == '{\n  "α": "\\udcff"\n}\n'


def test_json_text_is_that_of_the_json_module() -> None:
    content = {
        "a": [],
        "b": {},
        "c": [[1, -0.0, 1e300, 2.5], {'ü\n"': None}],
        "d": {"e": {"f": [True, False, "x, y: z"]}},
    }
    assert to_json(content) == json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json({"a": [float("nan")]})


def test_reports_and_pictures_are_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = "".join(f"{t},{t * 0.4 + e},{'abcdefgh'[i // 12]}\n" for i, (t, e) in enumerate(rng.normal(size=(96, 2))))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.csv").write_text(HISTORY)
    (logs / "predictions_a.csv").write_text("y_true,y_pred,flight_name\n" + rows)
    (logs / "metrics_a.json").write_text(
        '{"selected_epoch": 8, "config": {"b": 1, "a": {"d": 2, "c": 3}, "loss": "huber"}}'
    )
    code = (
        "import sys\nfrom pathlib import Path\nfrom runreport.analysis.engine import analyze_run\n"
        "from runreport.ingest.load import load_runs\nfrom runreport.report.json import document, to_json\n"
        "from runreport.report.write import write_report, write_text\n"
        "(run,) = load_runs(['logs'])\na = analyze_run(run)\nout = Path(sys.argv[1])\n"
        "write_report(a, None, out, 'a', charts=True)\n"
        "write_report(a, None, out, 'a', charts=True, form='html')\nwrite_text(out / 'a.json', to_json(document([a])))\n"
    )
    digests = []
    for seed in ("0", "99"):
        environment = os.environ | {
            "PYTHONHASHSEED": seed,
            "OMP_NUM_THREADS": seed[0].replace("0", "1").replace("9", "2"),
        }
        subprocess.run([sys.executable, "-c", code, f"out{seed}"], cwd=tmp_path, env=environment, check=True)
        files = sorted((tmp_path / f"out{seed}").iterdir())
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
    assert sorted(digests[0]) == ["a.history.svg", "a.html", "a.json", "a.md", "a.predictions.svg"]
    assert digests[0] == digests[1]
