"""TensorBoard events; the fixtures were written by PyTorch's writer and by Keras' callback."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.tensorboard import READER
from tests.ingest.readers.stores import FIXTURES, damaged_copies, read_all, sources, survives

TORCH, KERAS = FIXTURES / "tensorboard" / "torch_run", FIXTURES / "tensorboard" / "keras_run"


@pytest.fixture
def library() -> None:
    pytest.importorskip("tensorboard", reason="the optional extra `tensorboard` is not installed")


def float32(value: float) -> float:
    import numpy as np

    return float(np.float32(value))


@pytest.mark.usefixtures("library")
def test_a_folder_of_event_files_is_one_run_with_its_resume() -> None:
    (run,) = read_all(READER, TORCH)
    assert run.name == "torch_run"
    assert run.history is not None
    assert run.history.epochs == tuple(range(8))
    first = [1.0 / (e + 1) for e in range(4)]
    resumed = [0.9 / (e + 1) for e in range(4, 8)]
    assert run.history.columns["train_loss"] == tuple(map(float32, first + resumed))
    assert math.isnan(run.history.columns["val_loss"][3] or 0)
    assert run.history.columns["r2"] == tuple(float32(0.1 * e) for e in range(8))
    assert run.columns_read == {"epoch": "step", "train_loss": "Loss/train", "val_loss": "Loss/val", "r2": "r2/val"}
    assert run.summary == {"r2": float32(0.42), "split": "test"}
    assert any("resumed at epoch 4" in n.message for n in run.notes)


@pytest.mark.usefixtures("library")
def test_keras_folders_are_one_run_and_every_tensor_is_read() -> None:
    (run,) = read_all(READER, KERAS)
    assert run.name == "keras_run"
    assert run.history is not None
    assert run.history.epochs == tuple(range(15))  # TensorBoard's accumulator would keep 10 of them
    assert run.history.has("train_loss", "val_loss", "mae", "train_mae", "learning_rate")
    assert all(v is not None for name in ("train_loss", "val_loss") for v in run.history.columns[name])
    assert run.columns_read["learning_rate"] == "train/learning_rate"


@pytest.mark.usefixtures("library")
def test_keras_values_are_those_of_tensorboards_own_reader() -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    accumulator = EventAccumulator(str(KERAS / "validation"), size_guidance={"tensors": 0})
    accumulator.Reload()
    expected = tuple(float(tensor_util.make_ndarray(e.tensor_proto)) for e in accumulator.Tensors("epoch_loss"))
    (run,) = read_all(READER, KERAS)
    assert run.history is not None
    assert run.history.columns["val_loss"] == expected


@pytest.mark.usefixtures("library")
def test_a_train_folder_alone_is_its_own_run(tmp_path: Path) -> None:
    shutil.copytree(KERAS / "train", tmp_path / "train")
    (source,) = sources(READER, tmp_path)
    assert source.root == tmp_path / "train"


@pytest.mark.usefixtures("library")
def test_lightnings_settings_are_read(tmp_path: Path) -> None:
    shutil.copytree(TORCH, tmp_path / "version_0")
    (tmp_path / "version_0" / "hparams.yaml").write_text("lr: 0.1\nmodel:\n  depth: 3\n")
    (run,) = read_all(READER, tmp_path)
    assert run.config == {"lr": 0.1, "model.depth": 3}


@pytest.mark.usefixtures("library")
def test_a_damaged_record_ends_the_file_and_is_said(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    whole = bytearray(next(TORCH.glob("*.0")).read_bytes())
    whole[-100] ^= 0xFF
    path.write_bytes(whole)
    (run,) = read_all(READER, tmp_path)
    assert any(n.code == "log.truncated" for n in run.notes)


@pytest.mark.usefixtures("library")
def test_a_file_cut_off_in_a_record_is_said(tmp_path: Path) -> None:
    whole = next(TORCH.glob("*.0")).read_bytes()
    (tmp_path / "events.out.tfevents.1").write_bytes(whole[:-7])
    (run,) = read_all(READER, tmp_path)
    assert any(n.code == "log.truncated" for n in run.notes)
    (sound,) = read_all(READER, TORCH)
    assert not any(n.code == "log.truncated" for n in sound.notes)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.backend.event_processing.event_file_loader", None)
    with pytest.raises(InputError, match=r"regression-runreport\[tensorboard\]"):
        read_all(READER, TORCH)


def test_a_profile_marker_is_no_event_file(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1.host.profile-empty"
    path.touch()
    assert READER.claim(path, Head(path)) is None


def test_an_empty_file_and_a_pointer_are_said(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.touch()
    with pytest.raises(InputError, match="an empty file"):
        read_all(READER, tmp_path)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        read_all(READER, tmp_path)


@pytest.mark.usefixtures("library")
@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=60), st.floats(0, 1))
def test_damage_is_a_run_or_an_error(content: bytes, at: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        survives(READER, damaged_copies(TORCH, Path(folder), "*.0", content, at))


@pytest.mark.usefixtures("library")
@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1"
        path.write_bytes(content)
        (error,) = survives(READER, path)
        assert isinstance(error, InputError)
