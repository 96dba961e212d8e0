"""Measures how often the 95 % intervals hold the truth, and writes docs/coverage.md.

    python benchmarks/coverage.py --trials 2000 --out docs/coverage.md

Each trial draws a sample from a process whose r, α, β, b and R² are known exactly, computes the intervals with the
package's own functions, and asks whether they hold those population values. Same trials and seed, same file.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from runreport.statistics.effective_size import effective_size
from runreport.statistics.influence import to_scale
from runreport.statistics.intervals import MIN_GROUPS, scale_errors
from runreport.statistics.moments import Floats, Ints, row_moments
from runreport.statistics.paired import compare_paired
from runreport.statistics.selection_bootstrap import audit_selection

LEVEL = 0.95
# Population values of the generating process: a middling model with some bias.
CORRELATION, RATIO, BIAS = 0.5, 0.6, 0.2
TRUTH = {
    "r2": 2 * CORRELATION * RATIO - RATIO**2 - BIAS**2,
    "variance_ratio": RATIO,
    "pearson_r": CORRELATION,
    "bias": BIAS,
    "calibration_slope": CORRELATION / RATIO,
}
GOAL = (0.93, 0.97)
# Trials held in memory together.
BATCH = 250
# Log-standard deviation of the skewed truth: a lognormal with skewness 1.75.
SKEW_SIGMA = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A generating process: `groups` series of `sizes` rows, AR(`phi`) inside, `icc` of the variance shared by a group."""

    name: str
    sizes: tuple[int, ...]
    icc: float = 0.0
    phi: float = 0.0
    skewed: bool = False
    grouped: bool = False
    ordered: bool = True
    share_of_trials: float = 1.0


def _cases() -> list[Case]:
    independent = [
        Case(name="n = 144, rows declared independent", sizes=(144,), ordered=False),
        Case(name="n = 144, read as a series", sizes=(144,)),
        Case(name="n = 144, rows in 12 groups that share nothing", sizes=(12,) * 12, grouped=True),
        Case(name="n = 24, read as a series", sizes=(24,)),
        Case(name="n = 144, skewed truth, rows declared independent", sizes=(144,), ordered=False, skewed=True),
        Case(name="n = 144, skewed truth, read as a series", sizes=(144,), skewed=True),
    ]
    clustered = []
    for count in (6, 12, 20, 40):
        sizes = (12,) * count
        base = Case(name="", sizes=sizes, grouped=True)
        clustered += [
            replace(base, name=f"{count} groups × 12, ICC 0.3", icc=0.3),
            replace(base, name=f"{count} groups × 12, ICC 0.5 and AR(0.9) within", icc=0.5, phi=0.9),
            replace(base, name=f"{count} groups × 12, AR(0.95) within", phi=0.95),
        ]
    uneven = tuple(range(4, 28, 2))
    clustered += [
        Case(name="12 groups of 4 to 26 rows, ICC 0.3", sizes=uneven, icc=0.3, grouped=True),
        Case(name="12 groups × 12, ICC 0.3, skewed truth", sizes=(12,) * 12, icc=0.3, grouped=True, skewed=True),
        Case(name="40 groups × 12, ICC 0.3, skewed truth", sizes=(12,) * 40, icc=0.3, grouped=True, skewed=True),
    ]
    series = [
        Case(name=f"AR({phi}), n = {n}", sizes=(n,), phi=phi, share_of_trials=0.25 if n > 1000 else 1.0)
        for phi in (0.5, 0.9, 0.95)
        for n in (144, 600, 2400)
    ]
    return [*independent, *clustered, *series]


def _standard_series(rng: np.random.Generator, trials: int, case: Case) -> Floats:
    """Unit-variance normal values [trials, n] with the case's correlation within groups and none between."""
    parts = []
    for size in case.sizes:
        steps = rng.standard_normal((trials, size)) * np.sqrt(1 - case.phi**2)
        steps[:, 0] /= np.sqrt(1 - case.phi**2)
        walk = lfilter([1.0], [1.0, -case.phi], steps, axis=-1)
        common = rng.standard_normal((trials, 1))
        parts.append(np.sqrt(case.icc) * common + np.sqrt(1 - case.icc) * walk)
    return np.concatenate(parts, axis=1)


def _truth_series(rng: np.random.Generator, trials: int, case: Case) -> Floats:
    """y_true [trials, n]: mean 0, variance 1 in the population, lognormal where the case is skewed."""
    values = _standard_series(rng, trials, case)
    if not case.skewed:
        return values
    variance = SKEW_SIGMA**2
    spread = np.sqrt((np.exp(variance) - 1) * np.exp(variance))
    return np.asarray((np.exp(SKEW_SIGMA * values) - np.exp(variance / 2)) / spread)


def _predictions(rng: np.random.Generator, true: Floats, case: Case) -> Floats:
    """y_pred with the population's r, α and β; its own part is as dependent as the truth."""
    own = _standard_series(rng, len(true), case)
    return np.asarray(RATIO * (CORRELATION * true + np.sqrt(1 - CORRELATION**2) * own) + BIAS)


def measure(case: Case, trials: int, rng: np.random.Generator) -> tuple[dict[str, float], float, float]:
    """Coverage by metric, coverage of r by rows taken as independent, and the median effective n of 50 trials."""
    trials = max(BATCH, round(trials * case.share_of_trials))
    codes = np.repeat(np.arange(len(case.sizes)), case.sizes).astype(np.int64)
    held = dict.fromkeys(TRUTH, 0)
    naive = 0
    sizes: list[float] = []
    done = 0
    while done < trials:
        batch = min(BATCH, trials - done)
        done += batch
        true = _truth_series(rng, batch, case)
        pred = _predictions(rng, true, case)
        rows = row_moments(true, pred)
        estimates = rows.metrics(rows.total())
        errors = scale_errors(rows, codes if case.grouped else None, len(case.sizes), ordered=case.ordered, level=LEVEL)
        for name, value in TRUTH.items():
            distance = np.abs(to_scale(name, estimates[name]) - to_scale(name, np.asarray(value)))
            held[name] += int((distance <= errors[name].half_width(LEVEL)).sum())
        distance = np.abs(np.arctanh(estimates["pearson_r"]) - np.arctanh(CORRELATION))
        naive += int((distance <= 1.959964 / np.sqrt(true.shape[1] - 3)).sum())
        grouping: Ints | None = codes if case.grouped else None
        while len(sizes) < min(done, 50):
            sizes.append(effective_size(true[len(sizes) % batch], pred[len(sizes) % batch], grouping).n_e)
    return {name: count / trials for name, count in held.items()}, naive / trials, float(np.median(sizes))


def measure_paired(case: Case, trials: int, rng: np.random.Generator) -> float:
    """Coverage of the paired ΔR² interval of two models, one with r = 0.5 and one with r = 0.4, same α and no bias."""
    codes = np.repeat(np.arange(len(case.sizes)), case.sizes)
    truth = 2 * RATIO * (0.4 - 0.5)
    held = 0
    for _ in range(trials):
        true = _truth_series(rng, 1, case)
        own, other = _standard_series(rng, 1, case), _standard_series(rng, 1, case)
        first = RATIO * (0.5 * true + np.sqrt(0.75) * own)
        second = RATIO * (0.4 * true + np.sqrt(0.84) * (0.8 * own + 0.6 * other))
        result = compare_paired(
            true[0], {"a": first[0], "b": second[0]}, groups=codes if case.grouped else None, resamples=2
        ).difference("a", "b")
        held += result.lo is not None and result.hi is not None and result.lo <= truth <= result.hi
    return held / trials


def measure_selection(trials: int, equal: bool, rng: np.random.Generator) -> dict[str, float]:
    """Rates over trials of the selection audit: 30 epochs, 12 groups × 12 rows, ICC 0.3, policy max R², saved: the
    first.

    equal: every epoch has r = 0.3 (nothing to find); else r rises from 0.1 to 0.45 and the saved epoch is the worst.
    """
    epochs, ratio = 30, 0.4
    case = Case(name="", sizes=(12,) * 12, icc=0.3, grouped=True)
    codes = np.repeat(np.arange(12), 12)
    quality = np.full(epochs, 0.3) if equal else np.linspace(0.1, 0.45, epochs)
    worth = 2 * ratio * quality - ratio**2
    claims = kept = 0
    gaps, optimism, flattered = [], [], []
    for trial in range(trials):
        true, shared = _standard_series(rng, 2, case)
        own = np.sqrt(0.8) * shared + np.sqrt(0.2) * _standard_series(rng, epochs, case)
        pred = ratio * (quality[:, None] * true + np.sqrt(1 - quality[:, None] ** 2) * own)
        audit = audit_selection(
            true, pred, saved=0, pick=lambda m: np.argmax(m["r2"], axis=1), groups=codes, resamples=400, seed=trial
        )
        if audit.lo is None or audit.delta_r2 is None or audit.policy_pick is None or audit.ties_for_best is None:
            raise AssertionError("12 groups cannot be refused")
        claims += audit.lo > 0.02
        kept += int(np.argmax(worth)) in audit.ties_for_best
        gaps.append(audit.delta_r2 - (worth[audit.policy_pick] - worth[0]))
        optimism.append(audit.optimism if audit.optimism is not None else np.nan)
        r2 = 1 - ((pred - true) ** 2).mean(axis=1) / true.var(ddof=0)
        flattered.append(r2[audit.policy_pick] - worth[audit.policy_pick] - (r2 - worth).mean())
    return {
        "claims": claims / trials,
        "kept": kept / trials,
        "gap": float(np.mean(gaps)),
        "optimism": float(np.mean(optimism)),
        "flattered": float(np.mean(flattered)),
    }


def _table(rows: Sequence[tuple[Case, dict[str, float], float, float]]) -> list[str]:
    header = ["process", "n", "n_e", *TRUTH, "in goal", "Fisher r, rows as independent"]
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    for case, coverage, naive, size in rows:
        inside = all(GOAL[0] <= value <= GOAL[1] for value in coverage.values())
        cells = [case.name, str(sum(case.sizes)), f"{size:.0f}", *(f"{value:.3f}" for value in coverage.values())]
        lines.append("| " + " | ".join([*cells, "yes" if inside else "no", f"{naive:.3f}"]) + " |")
    return lines


INTRODUCTION = """\
# Measured coverage of the 95 % intervals

Generated, not written. The same command makes the same file:

    python benchmarks/coverage.py --trials {trials} --seed {seed} --out docs/coverage.md

Each figure is the share of {trials} simulated samples whose 95 % interval holds the population value
(± {error:.3f} of simulation noise at 0.95; series of 2400 rows: a quarter of the trials). The truth is that of
the generating process: r = {r}, α = {ratio}, β = {bias}, so b = {slope:.3f} and R² = {r2:.2f}.
Truth and prediction errors are normal with the stated dependence; ICC is the share of variance that a whole group has in
common, AR(φ) has φ as the correlation of neighbours. A skewed truth is lognormal with log-standard deviation {skew}.
n_e is the median effective sample size that is reported. The goal is {low}-{high} for independent rows and for 12 groups
or more. The last column is what Fisher's textbook interval of r covers when the dependence is ignored.
"""

GROUPS_TEXT = """\
Delete-one-group jackknife with t on G - 1 degrees of freedom, or the effective-sample-size interval where that is wider;
fewer than {minimum} groups are refused. Taking the wider of two costs some over-coverage where groups share nothing.
"""

SERIES_TEXT = """\
Long-run variance of the influence values (prewhitened, cosine-weighted, Student t), times the jackknife's small-sample
factor. n_e itself is overestimated at strong autocorrelation, by half at AR(0.9) and n = 144. A short, strongly autocorrelated
series holds too little information about its own dependence: no interval made from it alone can be sure of 95 %. These
rows show by how much it fails, which is why reports add a caveat at few effective samples.
"""

SELECTION_TEXT = """\
30 epochs, 12 groups × 12 rows, ICC 0.3, policy max R², the saved epoch fixed in advance; {few} runs a column.

| | all epochs equal | r rises from 0.1 (saved) to 0.45 |
|---|---|---|
"""

SELECTION_ROWS = {
    "claims": "lower bound of ΔR² above 0.02 (false with equal epochs)",
    "kept": "truly best epoch within `ties_for_best`",
    "gap": "mean of estimated minus true ΔR²",
    "optimism": "mean optimism of the pick, estimated",
    "flattered": "mean optimism of the pick, true",
}


def _document(trials: int, seed: int) -> str:
    generators = iter(np.random.default_rng(seed).spawn(64))
    rows = [(case, *measure(case, trials, next(generators))) for case in _cases()]
    clustered = [row for row in rows if row[0].icc > 0 or (row[0].grouped and row[0].phi > 0)]
    series = [row for row in rows if row[0].phi > 0 and not row[0].grouped]
    independent = [row for row in rows if row not in clustered and row not in series]
    missed = [
        f"- {case.name}: {name} {value:.3f}"
        for case, coverage, _, _ in rows
        for name, value in coverage.items()
        if not GOAL[0] <= value <= GOAL[1]
    ]
    few = max(BATCH, trials // 4)
    paired_cases = (
        Case(name="n = 144, independent, read as a series", sizes=(144,)),
        Case(name="12 groups × 12, ICC 0.3", sizes=(12,) * 12, icc=0.3, grouped=True),
        Case(name="one series AR(0.9), n = 144", sizes=(144,), phi=0.9),
    )
    pairs = [f"| {case.name} | {measure_paired(case, few, next(generators)):.3f} |" for case in paired_cases]
    null, ramp = (measure_selection(few, equal, next(generators)) for equal in (True, False))
    introduction = INTRODUCTION.format(
        trials=trials,
        seed=seed,
        error=1.96 * np.sqrt(LEVEL * (1 - LEVEL) / trials),
        r=CORRELATION,
        ratio=RATIO,
        bias=BIAS,
        slope=TRUTH["calibration_slope"],
        r2=TRUTH["r2"],
        skew=SKEW_SIGMA,
        low=GOAL[0],
        high=GOAL[1],
    )
    lines = [introduction, "## Independent rows\n", *_table(independent)]
    lines += ["\n## Groups\n", GROUPS_TEXT.format(minimum=MIN_GROUPS), *_table(clustered)]
    lines += ["\n## One ordered series\n", SERIES_TEXT, *_table(series)]
    lines += ["\n## Outside the goal\n", *(missed or ["Nothing."])]
    lines += [
        "\n## Paired difference of R²\n",
        f"Two models of the same samples, r = 0.5 and r = 0.4; {few} samples a row.\n",
    ]
    lines += ["| process | coverage of ΔR² |", "|---|---|", *pairs]
    lines += ["\n## Selection audit\n", SELECTION_TEXT.format(few=few).rstrip("\n")]
    lines += [f"| {text} | {null[key]:.3f} | {ramp[key]:.3f} |" for key, text in SELECTION_ROWS.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line: measures and writes the Markdown file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000, help="simulated samples a row (default 2000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of all random numbers (default 0)")
    parser.add_argument("--out", type=Path, default=None, help="Markdown file to write (default: standard output)")
    arguments = parser.parse_args()
    document = _document(arguments.trials, arguments.seed)
    if arguments.out is None:
        print(document, end="")
    else:
        arguments.out.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main()
