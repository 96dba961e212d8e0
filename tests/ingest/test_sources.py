"""Where logs come from: compressed files, standard input, object stores, and folders of everything else."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runreport.errors import InputError
from runreport.ingest import registry
from runreport.ingest.compressed import expand
from runreport.ingest.load import load_runs
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.run import Run

HISTORY = "epoch,train_loss,valid_loss\n1,0.6,0.5\n2,0.5,0.4\n"


def one(*arguments: object, **how: Any) -> Run:
    (run,) = load_runs([str(a) for a in arguments], **how)
    assert isinstance(run, Run), run
    return run


def refusal(argument: object, **how: Any) -> str:
    (error,) = load_runs([str(argument)], **how)
    assert isinstance(error, InputError), error
    return str(error)


def val_loss(run: Run) -> tuple[float | None, ...]:
    assert run.history is not None
    return run.history.columns["val_loss"]


def test_gzip_is_read_under_the_name_without_it(tmp_path: Path) -> None:
    path = tmp_path / "run.csv.gz"
    path.write_bytes(gzip.compress(HISTORY.encode()))
    run = one(path)
    assert (run.name, val_loss(run)) == ("run", (0.5, 0.4))
    assert run.files["history"] == path
    assert one(tmp_path).name == "run"


def test_two_gzip_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "run.csv.gz"
    path.write_bytes(gzip.compress(HISTORY.encode()) + gzip.compress(b"3,0.4,0.3\n"))
    assert val_loss(one(path)) == (0.5, 0.4, 0.3)


def test_a_gzip_file_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    rows = "".join(f"{i},{1 / i},{2 / i}\n" for i in range(1, 3000))
    data = gzip.compress(("epoch,train_loss,valid_loss\n" + rows).encode())
    path = tmp_path / "run.csv.gz"
    path.write_bytes(data[: len(data) // 2])
    run = one(path)
    assert run.history is not None
    assert 100 < len(run.history) < 2999
    assert val_loss(run)[0] == 2.0


def test_damaged_gzip_is_said(tmp_path: Path) -> None:
    path = tmp_path / "run.csv.gz"
    path.write_bytes(b"\x1f\x8b\x08" + b"x" * 50)
    assert "gzip data that is damaged" in refusal(path)


def test_expansion_is_bounded() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(expand(Path("x.gz"), bomb, 1000)) == 1000


def test_zstd_says_what_to_install_where_nothing_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("zstandard", "compression.zstd", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    path = tmp_path / "run.csv.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 20)
    said = refusal(path)
    assert "zstd data, and no library for it is installed" in said
    assert "regression-runreport[zstd]" in said


def test_zstd_is_read_with_a_library(tmp_path: Path) -> None:
    library = pytest.importorskip("zstandard", reason="the extra zstd is not installed")
    path = tmp_path / "run.csv.zst"
    path.write_bytes(library.compress(HISTORY.encode()))
    assert (one(path).name, val_loss(one(path))) == ("run", (0.5, 0.4))


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        (HISTORY, "table"),
        ('{"epoch": 1, "val_loss": 0.5}\n{"epoch": 2, "val_loss": 0.4}\n', "jsonl"),
        ('{"val_loss": [0.5, 0.4]}', "json"),
        ("Epoch 1 | Val Loss: 0.5\nEpoch 2 | Val Loss: 0.4\n", "printed"),
    ],
)
def test_standard_input_of_any_kind(monkeypatch: pytest.MonkeyPatch, text: str, reader: str) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(text.encode()))
    run = one("-")
    assert (run.name, run.format, val_loss(run)) == ("stdin", reader, (0.5, 0.4))
    assert {path.as_posix() for path in run.files.values()} == {"standard input"}


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "standard input: nothing"), (b"no log", "standard input: text in which no line names an epoch")],
)
def test_standard_input_that_is_no_log(monkeypatch: pytest.MonkeyPatch, data: bytes, said: str) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    assert refusal("-").startswith(said)


@pytest.fixture
def store() -> Iterator[Any]:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    for name in ("a/run1.csv", "b/run1.csv", "b/notes.md"):
        filesystem.pipe(f"/bucket/logs/{name}", HISTORY.encode())
    yield filesystem
    filesystem.store.clear()


def test_an_object_is_read_and_its_address_said(store: Any) -> None:
    run = one("memory://bucket/logs/a/run1.csv")
    assert (run.name, val_loss(run)) == ("run1", (0.5, 0.4))
    assert [path.as_posix() for path in run.files.values()] == ["bucket/logs/a/run1.csv"]
    assert run.notes[-1].message == "read from memory://bucket/logs/a/run1.csv"


@pytest.mark.parametrize("address", ["memory://bucket/logs", "memory://bucket/logs/*/run1.csv"])
def test_a_folder_and_a_pattern_of_objects(store: Any, address: str) -> None:
    runs = [run for run in load_runs([address]) if isinstance(run, Run)]
    assert [run.name for run in runs] == ["a/run1", "b/run1"]
    assert [run.files["history"].as_posix() for run in runs] == ["bucket/logs/a/run1.csv", "bucket/logs/b/run1.csv"]


def test_errors_name_the_object(store: Any) -> None:
    store.pipe("/bucket/logs/bad.csv", b"epoch,foo\n1,2\n")
    assert refusal("memory://bucket/logs/bad.csv").startswith("memory://bucket/logs/bad.csv: no column that is known")
    assert "cannot be fetched" in refusal("memory://bucket/none.csv")


def test_a_store_whose_library_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    said = refusal("s3://bucket/run.csv")
    assert "an object store, and s3fs is not installed" in said
    assert said.endswith("pip install fsspec s3fs")


def test_a_web_page_is_no_object_store() -> None:
    said = refusal("https://example.org/run.csv")
    assert "https:// is no object store" in said
    assert "runreport analyze -" in said


@pytest.mark.parametrize("name", ["model.pt", "data.pkl", "x.ckpt", "m.joblib"])
def test_pickles_are_refused_where_named_and_passed_over_in_silence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04boom")
    (tmp_path / "run.csv").write_text(HISTORY)
    assert "never loaded" in refusal(tmp_path / name)
    said: list[object] = []
    assert one(tmp_path, passed_over=said.append).name == "run"
    assert said == []


def test_what_nobody_knows_is_handed_over(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text(HISTORY)
    (tmp_path / "data.csv").write_text("age,height\n1,2\n")
    (tmp_path / "README.md").write_text("# notes")
    said: list[Any] = []
    assert one(tmp_path, passed_over=said.extend).name == "run"
    assert said == [tmp_path / "data.csv"]


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def test_pointers_in_a_folder_are_one_line(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "weights.pt"):
        (tmp_path / name).write_text(POINTER)
    (tmp_path / "run.csv").write_text(HISTORY)
    error, run = load_runs([str(tmp_path)])
    assert isinstance(run, Run)
    assert str(error).endswith("Git LFS pointers in place of 2 files: a.csv, b.csv; fetch them with `git lfs pull`")


def test_hidden_folders_and_caches_are_not_looked_into(tmp_path: Path) -> None:
    for folder in (".git", "__pycache__", ".ipynb_checkpoints"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "run.csv").write_text(HISTORY)
    (tmp_path / "run.csv").write_text(HISTORY)
    assert one(tmp_path).name == "run"


def test_a_reader_can_be_forced_and_a_wrong_name_names_them_all(tmp_path: Path) -> None:
    path = tmp_path / "printed.weird"
    path.write_text(HISTORY)
    assert "whose ending (.weird) no reader goes by" in refusal(path)
    assert val_loss(one(path, reader="table")) == (0.5, 0.4)
    with pytest.raises(InputError, match=r"--reader: 'tabel'; expected 'table'"):
        list(load_runs([str(path)], reader="tabel"))


def test_a_thousand_runs_of_one_name_keep_names_of_their_own(tmp_path: Path) -> None:
    text = "epoch,train_loss,valid_loss\n" + "1,0.6,0.5\n2,0.5,0.4\n" * 300
    (tmp_path / "run.csv").write_text(text)
    (tmp_path / "run-part7.csv").write_text(HISTORY)
    names = [run.name for run in load_runs([str(tmp_path)]) if isinstance(run, Run)]
    assert len(names) == 301
    assert len(set(names)) == 301


class Point:
    """An entry point of another package."""

    def __init__(self, loaded: object) -> None:
        self.name, self.value, self.loaded = "theirs", "theirs:READER", loaded

    def load(self) -> object:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def theirs(name: str = "theirs") -> Reader:
    def claim(path: Path, head: Head) -> Claim | None:
        return Claim(root=path, run=path.stem, kind="history") if path.suffix == ".theirs" else None

    def read(source: Source, options: ReadOptions) -> list[Run]:
        return [Run(name=source.name, format=source.reader, files=source.files, summary={"r2": 0.5})]

    return Reader(name=name, reads="their logs: *.theirs", claim=claim, read=read)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Point]]:
    points: list[Point] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "runreport.readers" else [])
    registry.all_readers.cache_clear()
    yield points
    registry.all_readers.cache_clear()


def test_a_reader_of_another_package_reads_its_files(installed: list[Point], tmp_path: Path) -> None:
    installed.append(Point(theirs()))
    (tmp_path / "x.theirs").write_text("anything")
    run = one(tmp_path)
    assert (run.name, run.format, dict(run.summary)) == ("x", "theirs", {"r2": 0.5})


@pytest.mark.parametrize(
    ("loaded", "said"),
    [
        (ModuleType("m"), "a module; expected a runreport.ingest.reader.Reader"),
        (theirs("native"), "a second reader 'native'"),
        (ImportError("no such thing"), "the reader 'theirs' does not load (no such thing)"),
    ],
)
def test_a_package_that_brings_no_reader_is_named(installed: list[Point], loaded: object, said: str) -> None:
    installed.append(Point(loaded))
    with pytest.raises(InputError) as caught:
        registry.all_readers()
    assert said in str(caught.value)
    assert str(caught.value).startswith("theirs:READER: ")
