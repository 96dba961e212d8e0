"""The first look at a log's figures against the whole one: what it settles, the whole one finds nothing in."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from runreport.context import Context, History, Number, history_of
from runreport.rules.log_integrity_identity import contradiction, epoch_figures, judgeable, ratio_column
from runreport.rules.log_integrity_screen import FIGURES, settled
from runreport.run import Run

BASE = 0.01
TYPICAL = {
    "r2": st.floats(-2, 1.1),
    "variance_ratio": st.floats(-0.1, 1.5),
    "pearson_r": st.floats(-1.1, 1.1),
    "pred_mean": st.floats(-2, 2),
    "true_mean": st.floats(-2, 2),
    "pred_std": st.floats(-0.1, 3),
    "true_std": st.floats(-0.1, 3),
}
WILD = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1e-300, 1e99, 1e101])


@st.composite
def logs(draw: st.DrawFn) -> History:
    """Some of the figures, at times true of each other, at times rounded, wild or missing."""
    epochs = draw(st.integers(1, 6))
    names = draw(st.lists(st.sampled_from(FIGURES), unique=True, min_size=1))
    columns: dict[str, list[Number]] = {}
    for name in names:
        typical: st.SearchStrategy[Number] = TYPICAL[name]
        places = draw(st.sampled_from([None, 1, 3]))
        values = draw(st.lists(st.none() | typical | typical | WILD, min_size=epochs, max_size=epochs))
        finite = [v for v in values if v is not None and abs(v) < 1e6]
        columns[name] = [v if places is None or v not in finite else round(v, places) for v in values]
    if {"r2", "variance_ratio"} <= columns.keys() and draw(st.booleans()):
        r = draw(st.floats(-1, 1))
        columns["r2"] = [None if a is None else 2 * r * a - a * a for a in columns["variance_ratio"]]
    return history_of(list(range(1, epochs + 1)), **columns)


@given(logs(), st.sampled_from(["", "train_"]), st.none() | st.floats(0.1, 3))
def test_what_the_first_look_settles_has_nothing_in_it(log: History, prefix: str, stated: float | None) -> None:
    split = "train" if prefix else "val"
    named = History(epochs=log.epochs, columns={prefix + name: values for name, values in log.columns.items()})
    summary = {"splits": {split: {"true_std": stated, "n": 40}}} if stated is not None else {}
    context = Context(run=Run(name="a", format="native", files={}, summary=summary), history=named)
    passed = settled(context, named, prefix, base=BASE)
    assume(passed is not None)
    n = context.split_statistic(split, "n")
    table = epoch_figures(context, named, prefix)
    column = ratio_column(table, base=BASE, n=n)
    assert column.kind in ("ratio", "unknown")
    judged = [figures for figures in table.values() if judgeable(figures)]
    assert all(contradiction(figures, base=BASE, n=n) is None for figures in judged)
    assert passed == len(judged) + column.compared


def test_it_settles_a_sound_log_and_leaves_others() -> None:
    run = Run(name="a", format="native", files={})
    sound = history_of([1, 2], r2=[0.2, 0.3], variance_ratio=[0.5, 0.6])
    assert settled(Context(run=run, history=sound), sound, "", base=BASE) == 2
    broken = history_of([1, 2], r2=[0.2, 0.95], variance_ratio=[0.5, 0.3])
    assert settled(Context(run=run, history=broken), broken, "", base=BASE) is None
    variances = history_of([1, 2], variance_ratio=[0.25, 0.36], pred_std=[0.5, 0.6], true_std=[1.0, 1.0])
    assert settled(Context(run=run, history=variances), variances, "", base=BASE) is None
