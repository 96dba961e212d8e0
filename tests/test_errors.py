"""Errors on their way between processes."""

from __future__ import annotations

import pickle

from runreport.errors import InputError, NoFinitePredictionsError


def test_an_error_comes_out_of_another_process_whole() -> None:
    sent = NoFinitePredictionsError("a\n.csv", found="nothing", expected="something", remedy="look")
    got = pickle.loads(pickle.dumps(sent))
    assert type(got) is NoFinitePredictionsError
    assert str(got) == str(sent) == "a\\x0a.csv: nothing; expected something; look"
    assert (got.where, got.found, got.expected, got.remedy) == ("a\n.csv", "nothing", "something", "look")
    bare = pickle.loads(pickle.dumps(InputError("b", found="x")))
    assert (str(bare), bare.expected) == ("b: x", None)
