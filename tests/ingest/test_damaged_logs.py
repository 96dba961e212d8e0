"""A bounded share of the fuzzer's cases: damaged logs of every format are runs or one line, and some are reported."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.fuzz_readers import block

CASES = int(os.environ.get("RUNREPORT_FUZZ_EXAMPLES", "250"))


@pytest.mark.skipif(not hasattr(__import__("signal"), "SIGALRM"), reason="a case that hangs is told by an alarm")
def test_damaged_logs_are_runs_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    block(0, CASES, seed=2, journal=tmp_path / "case")
    result = json.loads(capsys.readouterr().out)
    assert result["defects"] == []
    outcomes = result["outcomes"]
    assert outcomes["read"] + outcomes["refused"] == 2 * CASES
    assert outcomes["read"] > CASES / 10, "so much damage that nothing is read tests only refusals"
    assert outcomes["reported"] > 0
