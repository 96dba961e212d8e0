"""Trained runs kept on disk, so that a suite that was cut off, or is run again with other reports, trains nothing twice."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path

import torch

import training
from benchmarks.truth.trained.draft import Draft
from training.ensemble import Trained


class Store:
    """A folder with a file a run, named by all that decides it: settings, data, the training code, torch's version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, draft: Draft) -> Trained | None:
        """The run as it was trained; None where it was not."""
        path = self._path(draft)
        if not path.is_file():
            return None
        kept = torch.load(path, map_location="cpu", weights_only=False)
        return Trained(member=draft.member, **kept)

    def put(self, draft: Draft, trained: Trained) -> None:
        """Keeps a run; its data are not kept, the draft has them."""
        kept = {f.name: getattr(trained, f.name) for f in dataclasses.fields(trained) if f.name != "member"}
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as part:
            torch.save(kept, part)
        os.replace(part.name, self._path(draft))  # noqa: PTH105 - whole or not at all, whoever else is writing

    def _path(self, draft: Draft) -> Path:
        told = hashlib.sha256(code_of_training().encode())
        told.update(json.dumps(draft.config.to_dict() | {"run_name": ""}, sort_keys=True).encode())
        for samples in draft.dataset.splits().values():
            for values in (samples.frames, samples.angles, samples.target):
                told.update(str(tuple(values.shape)).encode())
                told.update(values.contiguous().numpy().tobytes())
        told.update(repr([torch.__version__, draft.start]).encode())
        return self._folder / f"{told.hexdigest()}.pt"


@cache
def code_of_training() -> str:
    """Digest of every source file of ``training``: a run trained by other code is another run."""
    told = hashlib.sha256()
    root = Path(training.__file__).parent
    for path in sorted(root.rglob("*.py")):
        told.update(path.relative_to(root).as_posix().encode())
        told.update(path.read_bytes())
    return told.hexdigest()
