"""From analysed runs to the figures that a page can be checked against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runreport.analysis.record import Analysis
from runreport.context import Final
from runreport.selection.declared import validation_count
from runreport.verify.facts import Epoch, Fact, Facts
from runreport.verify.numbers import rounding
from runreport.wording import epoch as epoch_words

LEAST_DECIMALS = 2
"""Decimals that a published figure is taken to have been rounded to at the coarsest: a file drops closing zeros."""
WITHOUT_SPLIT = ("learning_rate", "epoch_seconds", "samples_per_second", "gpu_memory_gib", "weight_norm")


def collect(analyses: Iterable[Analysis]) -> Facts:
    """The figures of these runs."""
    facts = Facts(analyses={a.run.name: a for a in analyses})
    for name, analysis in facts.analyses.items():
        for fact in _Collector(name, analysis).facts():
            facts.table[(name, fact.metric)].append(fact)
    return facts


@dataclass(frozen=True, slots=True)
class _Collector:
    """One run's figures, the likeliest meant first: final ones, those of the saved epoch, the log, counts, settings."""

    name: str
    analysis: Analysis

    def facts(self) -> Iterator[Fact]:
        saved = self.analysis.context.saved_epoch
        if self.analysis.final is not None:
            yield from self._final(self.analysis.final, f"{self.analysis.final.split}, final figures")
        if self.analysis.context.validation is not None:
            yield from self._final(self.analysis.context.validation, f"validation, saved epoch {epoch_words(saved)}")
        yield from self._budget()
        yield from self._history(saved)
        yield from self._counts()
        yield from self._config()
        yield from self._summary(self.analysis.run.summary)

    def _final(self, final: Final, what: str) -> Iterator[Fact]:
        base = Fact(run=self.name, metric="", value=0.0, split=final.split, epoch=final.epoch, what=what)
        exact = final.basis == "predictions"
        for metric, value in final.estimates.items():
            if value is not None and math.isfinite(value) and metric != "n":
                half = 0.0 if exact or metric in final.derived else rounding([value], least=LEAST_DECIMALS)
                roles = frozenset({"final", "saved", "best"})
                yield replace(base, metric=metric, value=value, roles=roles, half=half)
        if final.n is not None and final.n > 1:
            correction = math.sqrt(final.n / (final.n - 1))
            for metric in ("pred_std", "true_std"):
                std = final[metric]
                if std is not None:
                    yield replace(base, metric=metric, value=std * correction, what=f"{what}, ddof 1")
        low, high = final["true_min"], final["true_max"]
        if low is not None and high is not None:
            yield replace(base, metric="true_spread", value=high - low)
        bias, ratio = final["bias"], final["variance_ratio"]
        if bias is not None:
            yield replace(base, metric="absolute_bias", value=abs(bias))
        if ratio is not None:
            yield replace(base, metric="variance_ratio_squared", value=ratio**2, what=_squared(what))

    def _budget(self) -> Iterator[Fact]:
        budget, final = self.analysis.budget, self.analysis.final
        if budget is None or final is None:
            return
        parts = {
            "missing_information": budget.missing_information,
            "wrong_spread": budget.wrong_spread,
            "wrong_mean": budget.wrong_mean,
        }
        base = Fact(run=self.name, metric="", value=0.0, split=final.split, epoch=final.epoch, what="")
        for part, value in parts.items():
            yield replace(base, metric=part, value=value, what=f"{final.split}, part of 1 - R²")
            if budget.total:
                yield replace(base, metric=part, value=value / budget.total, what=f"{final.split}, share of 1 - R²")

    def _history(self, saved: Epoch | None) -> Iterator[Fact]:
        history = self.analysis.history
        if history is None:
            return
        for column in history.columns:
            finite = history.finite(column)
            if not finite:
                continue
            split, metric = _column(column)
            half = rounding([value for _, value in finite])
            roles = self._roles(finite, history.epochs, saved)
            for epoch, value in finite:
                held = frozenset(roles.get(epoch, ()))
                what = f"{split or 'log'}, epoch {epoch_words(epoch)}" + (
                    f" ({', '.join(sorted(held))})" if held else ""
                )
                fact = Fact(
                    run=self.name, metric=metric, value=value, split=split, epoch=epoch, what=what, salient=bool(held),
                    roles=held, half=half,
                )  # fmt: skip
                yield fact
                if metric == "variance_ratio":
                    squared = 2 * value * half
                    yield replace(
                        fact, metric="variance_ratio_squared", value=value**2, what=_squared(what), half=squared
                    )
        for row in self.analysis.rows:
            if row.bias is not None:
                what = f"validation, epoch {epoch_words(row.epoch)}"
                yield Fact(
                    run=self.name, metric="bias", value=row.bias, split="validation", epoch=row.epoch, what=what,
                    salient=row.epoch == saved,
                )  # fmt: skip

    def _roles(
        self, finite: Sequence[tuple[Epoch, float]], epochs: Sequence[Epoch], saved: Epoch | None
    ) -> Mapping[Epoch, set[str]]:
        """What makes an epoch one that a page can mean without naming it."""
        roles: dict[Epoch, set[str]] = defaultdict(set)
        roles[epochs[0]].add("first")
        roles[epochs[-1]].add("last")
        if saved is not None:
            roles[saved].add("saved")
        for role, pick in (("lowest", min), ("highest", max)):
            extreme = pick(value for _, value in finite)
            for epoch, value in finite:
                if value == extreme:
                    roles[epoch].add(role)
        return roles

    def _counts(self) -> Iterator[Fact]:
        a = self.analysis
        counts: list[tuple[str, float | None, str, str | None]] = []
        if a.final is not None:
            counts.append(("samples", a.final.n, f"{a.final.split} samples", a.final.split))
            counts.append(("effective_samples", a.final.effective_n, "independent samples that they are worth", None))
        counts.append(("samples", validation_count(a.run), "validation samples", "validation"))
        for split in ("train", "test"):
            counts.append(("samples", a.context.split_statistic(split, "n"), f"{split} samples", split))
        counts.append(("epochs_run", _number(a.run.summary.get("epochs_run")), "epochs run", None))
        if a.history is not None and len(a.history):
            counts.append(("epochs_run", len(a.history), "epochs in the log", None))
            counts.append(("epochs_run", float(a.history.epochs[-1]), "last epoch in the log", None))
        counts.append(("saved_epoch", a.context.saved_epoch, "saved epoch", None))
        for metric, value, what, of_split in counts:
            if value is not None:
                yield Fact(run=self.name, metric=metric, value=float(value), split=of_split, epoch=None, what=what)
        for pick in a.selection.picks if a.selection is not None else ():
            if pick.epoch is not None:
                yield Fact(
                    run=self.name, metric="saved_epoch", value=float(pick.epoch), split=None, epoch=None,
                    what=f"picked by {pick.policy}", salient=False,
                )  # fmt: skip

    def _config(self) -> Iterator[Fact]:
        for key, value in self.analysis.run.config.items():
            number = _number(value)
            if number is None:
                continue
            fact = Fact(
                run=self.name, metric=f"config.{key}", value=number, split=None, epoch=None, what=f"config {key}"
            )
            yield fact
            if key == "max_epochs":
                yield replace(fact, metric="epochs_run")

    def _summary(self, summary: Mapping[str, object], path: str = "") -> Iterator[Fact]:
        """Numbers of the metrics file, by the file's own names; what another fact holds already is there twice."""
        for key, value in summary.items():
            if key == "config":
                continue
            if isinstance(value, Mapping):
                yield from self._summary(value, f"{path}{key}.")
                continue
            number = _number(value)
            if number is None:
                continue
            for metric in {key, "val_loss" if key.endswith("val_loss") else key}:
                yield Fact(
                    run=self.name, metric=metric, value=number, split="validation" if "val" in key.split("_") else None,
                    epoch=None, what=f"metrics file, {path}{key}", half=rounding([number], least=LEAST_DECIMALS),
                )  # fmt: skip


def _squared(what: str) -> str:
    return f"{what}; σp²/σt², the square of the ratio of standard deviations"


def _column(column: str) -> tuple[str | None, str]:
    """(split, metric) of a column of the log."""
    if column == "pred_range":
        return "validation", "pred_spread"
    if column in ("train_loss", "val_loss"):
        return ("train" if column == "train_loss" else "validation"), column
    if column.startswith("train_"):
        return "train", column.removeprefix("train_")
    if column in WITHOUT_SPLIT or column.startswith(("grad_", "lr", "config")):
        return None, column
    return "validation", column


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
