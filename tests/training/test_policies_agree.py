"""What training does epoch by epoch is what runreport replays afterwards: same epoch kept, same epoch stopped at."""

import math
import random
from collections import Counter

import pytest

from runreport.context import History, history_of
from runreport.selection.declared import DeclaredPolicy
from runreport.selection.policies import catalogue
from runreport.selection.replay import replay_patience
from training.config import Config
from training.stopping import EarlyStopping, make_early_stopping
from training.stopping.policies import POLICIES

HISTORIES = 1000
COLUMNS = ("val_loss", "r2", "variance_ratio", "pearson_r", "pred_mean", "true_mean", "true_std")
# Names of runreport's policies that choose without patience, by training's name for the same idea.
WITHOUT_PATIENCE = {
    "val_loss": "min_val_loss",
    "r2": "max_r2",
    "composite": "composite",
    "floor": "r2_floor_0.4",
    "ccc": "ccc",
    "smoothed": "smoothed_r2",
}
NEVER = 10**6


def _value(random_: random.Random, column: str) -> float | None:
    kind = random_.random()
    if kind < 0.08:
        return None
    if kind < 0.14:
        return random_.choice([math.nan, math.inf, -math.inf])
    if column == "true_std":
        return random_.choice([0.0, 0.25, 0.5])
    low, high = (0.0, 1.0) if column in ("variance_ratio", "val_loss") else (-1.0, 1.0)
    # Quarters, so that ties and steps of exactly min_delta are common; the others are any number.
    return random_.randint(int(4 * low), int(4 * high)) / 4 if random_.random() < 0.5 else random_.uniform(low, high)


def _history(random_: random.Random) -> History:
    length = random_.randint(1, 25)
    columns = {column: [_value(random_, column) for _ in range(length)] for column in COLUMNS}
    return history_of(list(range(1, length + 1)), **columns)


def _train(stopping: EarlyStopping, history: History) -> tuple[int | None, int | None]:
    """The epoch that training keeps and the one at which it stops, on these rows."""
    for index, epoch in enumerate(history.epochs):
        stopping.update(int(epoch), {column: history.get(column)[index] for column in COLUMNS})
        if stopping.should_stop:
            return stopping.selected_epoch, int(epoch)
    return stopping.selected_epoch, None


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_declared_policies_replay_to_the_same_epochs(name: str) -> None:
    random_ = random.Random(f"declared {name}")
    seen: Counter[str] = Counter()
    for _ in range(HISTORIES):
        history = _history(random_)
        settings = {
            "patience": random_.randint(1, 6),
            "min_delta": random_.choice([0.0, 0.0005, 0.25]),
            "stopping_warmup": random_.choice([0, 0, 2]),
            "ratio_floor": random_.choice([None, 0.0, 0.5]),
        }
        stopping = make_early_stopping(Config(early_stopping=name, **settings))
        trained = _train(stopping, history)
        declared = DeclaredPolicy(
            monitor=stopping.policy.monitor,
            mode=stopping.policy.mode,
            patience=stopping.patience,
            min_delta=stopping.min_delta,
            floor=stopping.policy.floor,
            warmup=stopping.warmup,
        )
        pick = declared.pick(history)
        if pick.reason is not None and "not logged" in pick.reason:
            # Nothing finite at all: runreport has nothing to replay, and training kept nothing.
            assert trained[0] is None
            seen["nothing"] += 1
            continue
        if pick.reason is not None and "no variance_ratio column" in pick.reason:
            assert trained[0] is None
            continue
        assert trained == (pick.epoch, pick.stop_epoch), (settings, history)
        seen["kept" if trained[0] is not None else "kept none"] += 1
        seen["stopped" if trained[1] is not None else "ran out"] += 1
    assert min(seen[key] for key in ("kept", "kept none", "stopped", "ran out")) > 20, seen


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policies_without_patience_pick_the_same_epoch(name: str) -> None:
    random_ = random.Random(f"catalogue {name}")
    policy = {policy.name: policy for policy in catalogue()}[WITHOUT_PATIENCE[name]]
    compared = 0
    for _ in range(HISTORIES):
        history = _history(random_)
        kept, stopped = _train(EarlyStopping(POLICIES[name], patience=NEVER, min_delta=0.0), history)
        pick = policy.pick(history)
        assert kept == pick.epoch, history
        assert stopped is None
        compared += kept is not None
    assert compared > 300


def test_the_state_machine_itself_agrees() -> None:
    """On lists of values, one policy, with everything else of a row left out."""
    random_ = random.Random(5)
    for _ in range(HISTORIES):
        values = [_value(random_, "r2") for _ in range(random_.randint(0, 20))]
        patience, delta, warmup = random_.randint(1, 5), random_.choice([0.0, 0.25]), random_.randint(0, 3)
        replay = replay_patience(values, "max", patience, delta, warmup)
        stopping = EarlyStopping(POLICIES["r2"], patience=patience, min_delta=delta, warmup=warmup)
        stop = None
        for position, value in enumerate(values):
            stopping.update(position, {"r2": value})
            if stopping.should_stop:
                stop = position
                break
        assert (stopping.selected_epoch, stop) == (replay.best, replay.stop)


def test_a_resumed_policy_carries_on() -> None:
    """State taken after any epoch and put into a new object gives the same outcome as no interruption."""
    random_ = random.Random(6)
    for _ in range(100):
        history, name = _history(random_), random_.choice(sorted(POLICIES))
        cut = random_.randint(0, len(history.epochs))
        config = Config(early_stopping=name, patience=4, stopping_warmup=1)
        first, second, whole = (make_early_stopping(config) for _ in range(3))
        rows = [{column: history.get(column)[index] for column in COLUMNS} for index in range(len(history.epochs))]
        for epoch, row in enumerate(rows, start=1):
            whole.update(epoch, row)
            if epoch <= cut:
                first.update(epoch, row)
        second.load_state_dict(first.state_dict())
        for epoch, row in enumerate(rows[cut:], start=cut + 1):
            second.update(epoch, row)
        left, right = second.state_dict(), whole.state_dict()
        assert repr(left) == repr(right)  # by text: NaN is not equal to itself
