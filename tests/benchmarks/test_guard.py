from __future__ import annotations

from benchmarks.guard import RATIOS, WRITTEN, doubled


def test_only_a_doubled_ratio_fails() -> None:
    assert doubled({"a": 1.9}, {"a": 1.0}) == []
    assert doubled({"a": 2.1}, {"a": 1.0}) == ["a: 2.10, was 1.00"]


def test_a_ratio_that_was_never_written_down_fails() -> None:
    assert doubled({"b": 0.1}, {"a": 1.0}) == ["b: 0.10, never written down"]


def test_every_ratio_is_written_down() -> None:
    import json

    assert set(json.loads(WRITTEN.read_text(encoding="utf-8"))) == set(RATIOS)
