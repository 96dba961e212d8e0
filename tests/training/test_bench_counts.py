"""The benchmark's arithmetic: work, roofline, paired ratios, sizes."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
import torch
from torch import nn

from training.bench.cases import LARGEST_FRAMES_GIB, SOURCE, parse_case, random_split
from training.bench.pairs import PairedRatio, Times, in_turn, median_interval, paired_ratio
from training.bench.probes import choose_clock, copy_bytes_per_second, matmul_flops_per_second
from training.bench.roofline import roofline
from training.bench.whole import share_of_a_run
from training.bench.work import TrafficCounter, Work, work_of
from training.errors import ConfigError

CPU = torch.device("cpu")


def test_operations_of_a_linear_layer_counted_by_hand() -> None:
    """5 × 7 inputs on 3 outputs: 2·5·7·3 forward; as many for the weights' gradient, and for the inputs' where asked."""
    layer, product = nn.Linear(7, 3, bias=False), 2 * 5 * 7 * 3
    for learns, factor in ((False, 2), (True, 3)):
        inputs = torch.randn(5, 7, requires_grad=learns)
        assert work_of(lambda inputs=inputs: layer(inputs).sum().backward()).flops == factor * product


def test_operations_of_a_convolution_counted_by_hand() -> None:
    """2 images, 3 → 4 channels, 3 × 3, no padding: an 8 × 10 image has 6 × 8 places of 3·9 products each."""
    layer, inputs = nn.Conv2d(3, 4, 3), torch.randn(2, 3, 8, 10)
    forward = 2 * (2 * 4 * 6 * 8) * (3 * 3 * 3)
    with torch.no_grad():
        assert work_of(lambda: layer(inputs)).flops == forward
    assert work_of(lambda: layer(inputs).sum().backward()).flops == 2 * forward


def test_traffic_counts_what_is_read_and_written() -> None:
    first, second = torch.ones(10, 10), torch.ones(10, 10)
    with TrafficCounter() as counter:
        _ = first + second
    assert counter.bytes == 3 * 400
    with TrafficCounter() as counter:
        first.add_(second)  # reads both, writes one
    assert counter.bytes == 3 * 400
    with TrafficCounter() as counter:
        _ = first.t(), first[2:], first.view(100), torch.empty(50)
    assert counter.bytes == 0
    with TrafficCounter() as counter:
        _ = first.sum()
    assert counter.bytes == 400 + 4


def test_an_expanded_tensor_is_as_large_as_what_exists_of_it() -> None:
    single = torch.ones(1, dtype=torch.float64).expand(1000)
    with TrafficCounter() as counter:
        _ = single.sum()
    assert counter.bytes == 8 + 8


def test_roofline_by_hand() -> None:
    """6 operations at 2/s take 3 s, 20 bytes at 4/s take 5 s; the step takes 10 s."""
    probes = {"matmul_fp32_flops_per_second": 2.0, "copy_bytes_per_second": 4.0}
    found = roofline(Work(flops=6, traffic=20), 10.0, probes, "fp32")
    assert (found["compute_share"], found["memory_share"], found["share"]) == (0.3, 0.5, 0.5)
    assert found["bound"] == "memory"
    half = roofline(Work(flops=60, traffic=20), 10.0, probes | {"matmul_bf16_flops_per_second": 8.0}, "bf16")
    assert (half["share"], half["bound"]) == (0.75, "compute")
    assert roofline(Work(flops=60, traffic=20), 10.0, probes, "bf16")["compute_share"] == 3.0


def test_interval_of_a_median_is_the_binomials() -> None:
    """Against scipy: the widest tail that stays at 2.5 % or less decides which order statistics are the ends."""
    from scipy.stats import binom

    for n in range(1, 60):
        values = [float(value) for value in range(1, n + 1)]
        below = [k for k in range(n + 1) if binom.cdf(k, n, 0.5) <= 0.025]
        expected = (below[-1] + 1, n - below[-1]) if below else None
        assert median_interval(values) == expected, n


def test_interval_of_a_median_covers_it() -> None:
    generator = np.random.default_rng(5)
    inside = [
        low <= math.log(2) <= high  # the median of an exponential
        for low, high in (median_interval(list(row)) or (0, 0) for row in generator.exponential(size=(4000, 15)))
    ]
    assert 0.95 <= np.mean(inside) <= 0.98  # 96.5 % by the binomial


def test_paired_ratios_cancel_what_both_rounds_share() -> None:
    """Every round is slower by another factor; the plain loop takes twice as long in each."""
    drift = (1.0, 7.0, 3.0, 2.0, 9.0, 4.0)
    ratio = paired_ratio([2 * d for d in drift], drift)
    assert (ratio.median, ratio.low, ratio.high, ratio.least, ratio.largest) == (2.0, 2.0, 2.0, 2.0, 2.0)
    assert ratio.verdict() == "faster"
    assert paired_ratio(drift, [2 * d for d in drift]).verdict() == "slower"


def test_no_difference_is_called_one_within_noise() -> None:
    assert paired_ratio([1.0, 1.0, 1.0, 1.2, 1.3, 1.1], [1.1, 1.2, 1.1, 1.0, 1.0, 1.0]).verdict() == (
        "no difference beyond noise"
    )
    assert paired_ratio([2.0] * 5, [1.0] * 5) == PairedRatio(median=2.0, low=None, high=None, least=2.0, largest=2.0)
    assert paired_ratio([2.0] * 5, [1.0] * 5).verdict() == "too few rounds to tell"


def test_calls_are_made_in_turn_and_in_alternating_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that moves only when a call moves it: each time lands with its own call and round."""
    now, made = itertools.count(), []
    state = {"time": 0.0}

    def call(name: str, seconds: float) -> None:
        made.append(name)
        state["time"] += seconds + 10 * (next(now) // 2)

    monkeypatch.setattr(time, "perf_counter", lambda: state["time"])
    first, second = in_turn([lambda: call("a", 1.0), lambda: call("b", 2.0)], CPU, 3)
    assert made == ["a", "b", "b", "a", "a", "b"]
    assert (first.wall, second.wall) == ((1.0, 11.0, 21.0), (2.0, 12.0, 22.0))


def test_only_a_single_cpu_thread_is_timed_by_the_processor() -> None:
    times = Times(wall=(1.0,), processor=(0.5,))
    assert times.by(choose_clock(CPU, 1)) == (0.5,)
    assert times.by(choose_clock(CPU, 2)) == (1.0,)
    assert times.by(choose_clock(torch.device("cuda"), 1)) == (1.0,)


def test_probes_divide_work_by_the_least_time() -> None:
    """A clock on which the three timed calls take 4, 2 and 8 seconds, and so on: the least is 2."""
    durations = itertools.cycle((4.0, 2.0, 8.0))
    state = {"time": 0.0, "calls": 0}

    def clock() -> float:
        state["calls"] += 1
        if state["calls"] % 2 == 0:
            state["time"] += next(durations)
        return state["time"]

    assert matmul_flops_per_second(CPU, torch.float32, clock, 8) == 2 * 8**3 / 2.0
    assert copy_bytes_per_second(CPU, clock, 64) == 2 * 64 / 2.0


@pytest.mark.parametrize(("every", "epochs"), [(1, 7), (3, 7), (25, 50), (25, 51), (100, 50)])
def test_the_share_of_a_run_counts_the_epochs_that_are_evaluated(every: int, epochs: int) -> None:
    """As the loop does it: one by one, with the evaluation after each k-th epoch and after the last."""
    norms, evaluation, epoch = 0.25, 1.5, 4.0
    spent = whole = 0.0
    for number in range(1, epochs + 1):
        evaluated = evaluation if number % every == 0 or number == epochs else 0.0
        spent += norms + evaluated
        whole += epoch + evaluated
    assert share_of_a_run(norms, evaluation, epoch, every=every, epochs=epochs) == pytest.approx(spent / whole)


def test_a_size_is_read() -> None:
    case = parse_case("3X48x64x20x100")
    assert (case.frames, case.height, case.width, case.batch, case.samples) == (3, 48, 64, 20, 100)
    assert case.gib == 3 * 48 * 64 * 100 * 4 / 2**30
    assert SOURCE.gib < LARGEST_FRAMES_GIB


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("big", "--case: found 'big'; expected FRAMESx"),
        ("3x48x64x20", "expected FRAMESx"),
        ("3x48x64x20x-5", "expected FRAMESx"),
        ("3x48x64x20x٣", "expected FRAMESx"),
        ("3x48x64x20x99999999999", "expected FRAMESx"),
        ("0x48x64x20x100", "found frames 0; expected 1 to 9"),
        ("3x4x64x20x100", "found height 4; expected 8 to 2048"),
        ("3x48x64x0x100", "found batch 0; expected 1 to 100000"),
        ("3x48x64x20x1", "found samples 1; expected 2 to 1000000"),
        ("9x2048x2048x20x1000", "its frames take 140.6 GiB; expected at most 4"),
    ],
)
def test_no_size(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_case(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_noise_follows_its_seed_alone() -> None:
    case = parse_case("3x8x8x4x6")
    first, again, other = (random_split(case, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.frames, again.frames)
    assert not torch.equal(first.frames, other.frames)
    assert len(random_split(case, seed=1, samples=3)) == 3
