"""Data of your own: what is read, and what is refused in one line."""

import builtins
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from training.config import Config
from training.config_file import parse_config
from training.data import Dataset, load_dataset
from training.errors import ConfigError

CPU = torch.device("cpu")


def _config(path: Path | None = None, **data: Any) -> Config:
    top = {key: data.pop(key) for key in ("temporal_frames", "augment") if key in data}
    where = {} if path is None else {"path": str(path)}
    return parse_config({"temporal_frames": 1, **top, "data": {"split": "time", **where, **data}})


def _load(path: Path | None = None, **data: Any) -> Dataset:
    return load_dataset(_config(path, **data), CPU)


def _archive(folder: Path, **arrays: Any) -> Path:
    path = folder / "mine.npz"
    count = 10
    defaults = {
        "frames": np.arange(count * 4 * 8 * 8, dtype=np.float32).reshape(count, 4, 8, 8),
        "target": np.arange(count) / 10,
    }
    np.savez(path, **(defaults | arrays))
    return path


def test_npz_frames_in_time_order(tmp_path: Path) -> None:
    hours = np.array([3, 1, 2, 0, 9, 8, 7, 6, 5, 4])
    path = _archive(tmp_path, hours=hours, sun=np.stack((np.arange(10.0), -np.arange(10.0)), axis=1))
    dataset = _load(path, kind="npz", time="hours", angles="sun", temporal_frames=2, test_fraction=0.3)
    # Sample k of the file is the one of hour hours[k]; its target is k / 10.
    at_hour = np.argsort(hours)
    assert dataset.train.target.tolist() == pytest.approx((at_hour[:5] / 10).tolist())
    assert dataset.val.target.tolist() == pytest.approx((at_hour[5:7] / 10).tolist())
    assert dataset.test.target.tolist() == pytest.approx((at_hour[7:] / 10).tolist())
    assert dataset.test.angles[:, 0].tolist() == at_hour[7:].tolist()
    assert dataset.test.local_indices.tolist() == [7, 8, 9]
    assert dataset.test.names() == ["mine"] * 3
    # Of four frames the middle two.
    whole = np.arange(10 * 4 * 8 * 8, dtype=np.float32).reshape(10, 4, 8, 8)
    np.testing.assert_array_equal(dataset.test.frames.numpy(), whole[at_hour[7:], 1:3])
    assert dataset.input_names == ()


def test_npz_shapes(tmp_path: Path) -> None:
    single = _load(_archive(tmp_path, frames=np.ones((10, 8, 9))), kind="npz")
    assert single.train.frames.shape == (6, 1, 8, 9)
    assert single.train.angles.shape == (6, 0)
    table = _load(_archive(tmp_path, inputs=np.ones((10, 3))), kind="npz", inputs="inputs")
    assert table.val.frames.shape == (2, 3)
    assert table.input_names == ("inputs[0]", "inputs[1]", "inputs[2]")


def test_table_columns(tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(
        "day,ward,age,smoker,name,target\n2024-01-03,b,50,true,x,1.5\n2024-01-01,a,40,false,y,2\n"
        "2024-01-02,b,30,true,z,3\n2024-01-05,a,20,true,w,4\n2024-01-04,a,10,false,v,5\n2024-01-06,b,60,true,u,6\n"
    )
    dataset = _load(path, kind="table", group="ward", time="day", val_fraction=0.34, test_fraction=0.33)
    assert dataset.input_names == ("age", "smoker")
    # Days 1 and 2 train, 3 and 4 validate, 5 and 6 test; sorted by ward (b appears first), then by day.
    assert dataset.train.frames.tolist() == [[30.0, 1.0], [40.0, 0.0]]
    assert dataset.val.target.tolist() == [1.5, 5.0]
    assert dataset.test.target.tolist() == [6.0, 4.0]
    assert dataset.test.names() == ["b", "a"]
    assert dataset.test.local_indices.tolist() == [2, 2]
    only = _load(path, kind="table", time="day", inputs="age", val_fraction=0.34, test_fraction=0.33)
    assert only.input_names == ("age",)


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.random(20), "b": rng.integers(0, 9, 20), "target": rng.random(20)})
    frame.write_csv(tmp_path / "t.csv")
    frame.with_columns(group=pl.lit("g").cast(pl.Categorical)).write_parquet(tmp_path / "t.parquet")
    one, two = _load(tmp_path / "t.csv", kind="table"), _load(tmp_path / "t.parquet", kind="table", group="group")
    assert torch.equal(one.train.frames, two.train.frames)
    assert torch.equal(one.test.target, two.test.target)
    assert two.test.names() == ["g"] * 4


def test_a_split_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    words = ["train", "Test", "validation", "val", "train", "test"]
    pl.DataFrame({"x": range(6), "target": range(6), "part": words}).write_csv(path)
    dataset = _load(path, kind="table", split="column", split_column="part")
    assert [split.target.tolist() for split in dataset.splits().values()] == [[0, 4], [2, 3], [1, 5]]
    pl.DataFrame({"x": range(6), "target": range(6), "part": [*words[:5], "oops"]}).write_csv(path)
    with pytest.raises(ConfigError, match="says 'oops'; expected train, val or test"):
        _load(path, kind="table", split="column", split_column="part")


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py is not installed, so HDF5 files are not read here")
    path = tmp_path / "mine.h5"
    frames = np.random.default_rng(1).random((12, 3, 8, 8))
    with h5py.File(path, "w") as file:
        file["deep/frames"] = frames
        file["deep/height"] = np.arange(12.0)
        file["flight"] = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    dataset = _load(
        path, kind="hdf5", inputs="deep/frames", target="deep/height", group="flight", split="loo", loo_group="c",
        temporal_frames=3,
    )  # fmt: skip
    assert dataset.test.target.tolist() == [8.0, 9.0, 10.0, 11.0]
    assert dataset.val.names() == ["a"] * 4
    np.testing.assert_array_equal(dataset.train.frames.numpy(), frames[4:8].astype(np.float32))
    with pytest.raises(ConfigError, match="no array 'frames'; found deep/frames, deep/height, flight"):
        _load(path, kind="hdf5")
    path.write_bytes(b"not HDF5")
    with pytest.raises(ConfigError, match="not an HDF5 file"):
        _load(path, kind="hdf5")


@pytest.mark.parametrize(
    ("module", "kind", "message"),
    [
        ("h5py", "hdf5", "hdf5 needs h5py, which is not installed: pip install h5py"),
        ("sklearn.datasets", "diabetes", "read from scikit-learn's files: pip install scikit-learn"),
        ("pyarrow", "table", "table needs pyarrow, which is not installed"),
    ],
)
def test_a_missing_package_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, kind: str, message: str
) -> None:
    (tmp_path / "t.csv").write_text("x,target\n1,2\n")
    original = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == module:
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path / "t.csv", kind=kind)


def test_diabetes_is_read_as_it_was_measured() -> None:
    dataset = _load(kind="diabetes", split="random")
    assert [len(split) for split in dataset.splits().values()] == [266, 88, 88]
    assert dataset.input_names[:3] == ("age", "sex", "bmi")
    targets = torch.cat([split.target for split in dataset.splits().values()])
    # The published range and mean of the disease progression.
    assert (float(targets.min()), float(targets.max())) == (25.0, 346.0)
    assert float(targets.double().mean()) == pytest.approx(152.133, abs=1e-3)
    ages = torch.cat([split.frames[:, 0] for split in dataset.splits().values()])
    assert (float(ages.min()), float(ages.max())) == (19.0, 79.0)
    again = _load(kind="diabetes", split="random")
    other = _load(kind="diabetes", split="random", seed=8)
    assert torch.equal(dataset.test.frames, again.test.frames)
    assert not torch.equal(dataset.test.frames, other.test.frames)


class _Bomb:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    bomb = tmp_path / "went_off"
    np.savez(tmp_path / "a.npz", frames=np.ones((9, 8, 8)), target=np.array([_Bomb(bomb)] * 9, dtype=object))
    with pytest.raises(ConfigError, match="array 'target' cannot be read: Object arrays cannot be loaded"):
        _load(tmp_path / "a.npz", kind="npz")
    (tmp_path / "b.npz").write_bytes(pickle.dumps(_Bomb(bomb)))
    with pytest.raises(ConfigError, match=r"expected an \.npz archive of plain arrays .*; found none$"):
        _load(tmp_path / "b.npz", kind="npz")
    assert not bomb.exists()


def _bad(folder: Path, kind: str) -> tuple[Path, dict[str, Any]]:
    """A file with one thing wrong, and the settings to read it with."""
    npz: dict[str, dict[str, Any]] = {
        "nan": {"frames": np.full((10, 8, 8), np.nan)},
        "text": {"target": np.array(["a"] * 10)},
        "lengths": {"target": np.ones(9)},
        "rank": {"frames": np.ones((10, 2, 2, 2, 2))},
        "few frames": {"frames": np.ones((10, 2, 8, 8))},
        "no target": {"frames": np.ones((10, 8, 8))},
        "scalar": {"target": np.float64(1.0)},
        "times": {"when": np.array(["noon"] * 10)},
        "no time": {"when": np.array([np.nan] * 10)},
        "angles": {"sun": np.ones((10, 3))},
        "huge": {"target": np.full(10, 1e300)},
        "tiny": {"frames": np.ones((3, 8, 8)), "target": np.ones(3)},
    }
    settings = {
        "few frames": {"temporal_frames": 3},
        "no target": {"target": "height"},
        "times": {"time": "when"},
        "no time": {"time": "when"},
        "angles": {"angles": "sun"},
        "single": {},
    }
    if kind == "single":
        path = folder / "one.npz"
        np.save(folder / "one.npy", np.ones(3))
        (folder / "one.npy").rename(path)
        return path, {}
    return _archive(folder, **npz[kind]), settings.get(kind, {})


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("nan", "data.inputs: 10 of 10 samples hold a missing or infinite number"),
        ("text", "data.target: found <U1 values; expected numbers"),
        ("lengths", "data.inputs: 10 samples; data.target has 9"),
        ("rank", r"found shape \(10, 2, 2, 2, 2\); expected"),
        ("few frames", "2 frames a sample; temporal_frames asks for 3"),
        ("no target", "no array 'height'; found frames, target"),
        ("scalar", "'target' is a single value"),
        ("times", "data.time: expected numbers or ISO 8601 times; Invalid isoformat string: 'noon'"),
        ("no time", "data.time: 10 samples have no time"),
        ("angles", r"data.angles: found shape \(10, 3\); expected \(n, 2\)"),
        ("huge", "data.target: 10 of 10 samples hold a missing or infinite number"),
        ("tiny", "data.split: time: 1 train samples; expected at least 2"),
        ("single", "found a single array; expected an .npz archive"),
    ],
)
def test_bad_archives_are_one_line(tmp_path: Path, kind: str, message: str) -> None:
    path, settings = _bad(tmp_path, kind)
    with pytest.raises(ConfigError, match=message) as caught:
        _load(path, kind="npz", **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("x,target\n1,2\n,3\n", {}, "data.inputs: 1 of 2 samples hold a missing"),
        ("x,y\n1,2\n", {}, "data.target: no column 'target'; found x, y"),
        ("x,target\na,2\n", {}, "no numeric column beside the target 'target'; found x, target"),
        ("x,target\na,2\n", {"inputs": "x"}, "column 'x' holds no numbers"),
        ("x,target\n1,2\n", {"inputs": "x, z"}, "data.inputs: no column 'z'"),
        ("x,target\n1,2\n", {"inputs": "target"}, "column 'target' is the target"),
        ("x,x,target\n1,1,2\n", {}, "two columns of the same name"),
        ("x,target\n1,2,3\n", {}, "cannot be read"),
        ("x,target\n", {}, "no samples"),
    ],
)
def test_bad_tables_are_one_line(tmp_path: Path, text: str, settings: dict[str, Any], message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        _load(path, kind="table", **settings)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"found nothing; data\.kind npz needs the path of a file"):
        _load(kind="npz")
    with pytest.raises(ConfigError, match="no such file"):
        _load(tmp_path / "nowhere.npz", kind="npz")
    (tmp_path / "t.xlsx").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"found suffix '.xlsx'; expected \.csv or \.parquet"):
        _load(tmp_path / "t.xlsx", kind="table")


def test_mirroring_needs_angles(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="augment: mirrors flights"):
        _load(_archive(tmp_path), kind="npz", augment=True)


def test_optional_packages_are_not_imported_for_the_flights() -> None:
    """Only the reader that needs a package imports it, when it reads."""
    import subprocess

    code = "import sys, training.data; print(sorted({'h5py', 'sklearn', 'pyarrow'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root).stdout
    assert output.strip() == "[]"
