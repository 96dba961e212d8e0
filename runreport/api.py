"""The Python interface: runs in, reports out, as objects that a notebook shows. See docs/api.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from runreport.errors import InputError
from runreport.marks import plain
from runreport.run import Run

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from runreport.analysis.record import Analysis
    from runreport.compare.record import Comparison
    from runreport.criteria.spec import Tier
    from runreport.report.write import Form
    from runreport.settings import Settings

Place = str | Path
SEVERITIES = ("info", "warning", "critical")


def load(
    path: Place,
    *,
    columns: Mapping[str, str] | None = None,
    reader: str | None = None,
    truth: Place | None = None,
    key: str | None = None,
) -> Run:
    """The one run of a log file (which brings its siblings) or of a folder that holds one.

    columns
        Known name -> name in the file, as ``--column`` does: ``{"val_loss": "valid_mse"}``.
    reader
        Name of the reader, where it should not be found by the file's content (see ``runreport formats``).
    truth, key
        A table of true values, and the column that joins it, for predictions without.

    Raises
    ------
    InputError
        Nothing there, not readable, or more than one run: then :func:`load_all` has them all.
    """
    runs = load_all(path, columns=columns, reader=reader, truth=truth, key=key)
    if len(runs) != 1:
        names = ", ".join(run.name for run in runs[:3]) + (", ..." if len(runs) > 3 else "")
        raise InputError(path, found=f"{len(runs)} runs ({names})", expected="one", remedy="use load_all, or name one")
    return runs[0]


def load_all(
    *paths: Place,
    columns: Mapping[str, str] | None = None,
    reader: str | None = None,
    truth: Place | None = None,
    key: str | None = None,
) -> list[Run]:
    """Every run of these files, folders and globs; options as in :func:`load`.

    Raises
    ------
    InputError
        Of the first that cannot be read.
    """
    from runreport.ingest.load import load_runs
    from runreport.ingest.reader import ReadOptions

    options = ReadOptions(columns=columns or {}, truth=None if truth is None else Path(truth), key=key)
    runs = []
    for item in load_runs([str(path) for path in paths], options, reader=reader):
        if isinstance(item, InputError):
            raise item
        runs.append(item)
    if not runs:
        raise InputError(", ".join(str(path) for path in paths) or "load_all", found="no runs", expected="a log")
    return runs


def analyze(
    run: Run | Place,
    *,
    settings: Settings | Place | None = None,
    criteria: Sequence[Tier] | Place | None = None,
    group: str | None = None,
) -> Report:
    """Everything that can be said about a run, or about the one run of a path.

    settings
        A settings file, or what :func:`runreport.settings.read_settings` gives. Unlike the command, None is the defaults:
        what lies in the working folder changes nothing.
    criteria
        A YAML file of success criteria, or tiers; None is the default tiers.
    group
        Column of the predictions to resample whole.

    Raises
    ------
    InputError
        The path, the settings, the criteria or the group cannot be used.
    """
    from dataclasses import replace

    from runreport.analysis.engine import analyze_run
    from runreport.criteria.spec import default_tiers, read_tiers
    from runreport.settings import Settings, read_settings

    chosen = settings if isinstance(settings, Settings) else Settings() if settings is None else None
    if chosen is None:
        chosen = read_settings(Path(str(settings)))
    if group is not None:
        chosen = replace(chosen, group=group)
    tiers: tuple[Tier, ...]
    if criteria is None:
        tiers = default_tiers()
    else:
        tiers = read_tiers(Path(criteria)) if isinstance(criteria, str | Path) else tuple(criteria)
    return Report(analyze_run(run if isinstance(run, Run) else load(run), chosen, tiers))


def compare_runs(*reports: Report | Run | Place) -> ComparisonReport:
    """Two or more runs beside each other: paired where they predicted the same samples.

    Raises
    ------
    InputError
        Fewer than two, or two of one name: a comparison knows its runs by their names.
    """
    from runreport.compare import engine

    made = [item if isinstance(item, Report) else analyze(item) for item in reports]
    names = [report.name for report in made]
    if len(made) < 2:
        raise InputError("compare_runs", found=f"{len(made)} run", expected="two or more")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        remedy = "load them with one call of load_all, which tells them apart by their folders"
        raise InputError("compare_runs", found=f"two runs called {twice!r}", remedy=remedy)
    return ComparisonReport(engine.compare_runs([report.analysis for report in made]), made)


class Report:
    """One run, analysed. Frames are polars', charts altair's; a notebook shows the report itself.

    analysis
        All that was found out: :class:`runreport.analysis.record.Analysis`.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @property
    def name(self) -> str:
        """The run's name."""
        return self.analysis.run.name

    @cached_property
    def title(self) -> str:
        """The strongest finding in one line."""
        from runreport.report.headline import headline

        return plain(headline(self.analysis))

    @cached_property
    def history(self) -> pl.DataFrame:
        """The log, a row an epoch: ``epoch`` and what was logged, under its known names; no rows without a log."""
        import polars as pl

        history = self.analysis.history
        if history is None:
            return pl.DataFrame(schema={"epoch": pl.Float64})
        columns = {name: pl.Series(name, values, dtype=pl.Float64) for name, values in history.columns.items()}
        return pl.DataFrame({"epoch": list(history.epochs), **columns}, strict=False)

    @cached_property
    def metrics(self) -> pl.DataFrame:
        """The final figures: ``metric, value, low, high`` (95 % interval) and ``standard_error``; null where unknown."""
        import polars as pl

        final = self.analysis.final
        schema: dict[str, Any] = {"metric": pl.String} | dict.fromkeys(
            ("value", "low", "high", "standard_error"), pl.Float64
        )
        if final is None:
            return pl.DataFrame(schema=schema)
        rows = []
        for name, value in final.estimates.items():
            low, high = final.interval(name) or (None, None)
            rows.append((name, value, low, high, final.standard_errors.get(name)))
        return pl.DataFrame(rows, schema=schema, orient="row", strict=False)

    @cached_property
    def findings(self) -> pl.DataFrame:
        """A row a finding, most important first; ``severity`` sorts from info to critical."""
        import polars as pl

        schema: dict[str, Any] = {
            "rule": pl.String,
            "severity": pl.Enum(SEVERITIES),
            "message": pl.String,
            "epoch": pl.Float64,
            "split": pl.String,
            "acts_on": pl.String,
            **dict.fromkeys(("recoverable", "p_value", "q_value"), pl.Float64),
        }
        rows = [
            (
                f.rule,
                f.severity.value,
                plain(f.message),
                f.epoch,
                f.split,
                f.acts_on,
                f.recoverable,
                f.p_value,
                f.q_value,
            )
            for f in self.analysis.findings
        ]
        return pl.DataFrame(rows, schema=schema, orient="row", strict=False)

    @cached_property
    def not_checked(self) -> pl.DataFrame:
        """Rules that could not be judged: ``rule, reason``."""
        import polars as pl

        rows = [(item.rule, plain(item.reason)) for item in self.analysis.not_checked]
        return pl.DataFrame(rows, schema={"rule": pl.String, "reason": pl.String}, orient="row")

    @cached_property
    def criteria(self) -> pl.DataFrame:
        """Success criteria: ``tier, asks, value, verdict, within_noise, needs_r, feasible``."""
        import polars as pl

        schema: dict[str, Any] = {
            "tier": pl.String,
            "asks": pl.String,
            "value": pl.Float64,
            "verdict": pl.Enum(("not met", "cannot tell", "met")),
            "within_noise": pl.Boolean,
            "needs_r": pl.Float64,
            "feasible": pl.Boolean,
        }
        rows = [
            (j.tier, j.criterion.text, j.value, j.verdict, j.within_noise, j.needs_r, j.feasible)
            for j in self.analysis.criteria
        ]
        return pl.DataFrame(rows, schema=schema, orient="row", strict=False)

    @cached_property
    def advice(self) -> pl.DataFrame:
        """Steps, the first first: ``id, title, text, acts_on, refuted_if``."""
        import polars as pl

        names = ("id", "title", "text", "acts_on", "refuted_if")
        rows = [(a.id, plain(a.title), plain(a.text), a.acts_on, plain(a.refuted_if)) for a in self.analysis.advice]
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    @cached_property
    def charts(self) -> Mapping[str, alt.TopLevelMixin]:
        """The charts that the run has the data for: ``history`` and ``predictions``."""
        from runreport.report.charts import history_chart, predictions_chart

        made = {"history": history_chart(self.analysis), "predictions": predictions_chart(self.analysis)}
        return {name: chart for name, chart in made.items() if chart is not None}

    @cached_property
    def document(self) -> dict[str, Any]:
        """The run as in the JSON report (docs/json.md): plain dicts, lists, text and numbers."""
        from runreport.report.json import document

        runs: list[dict[str, Any]] = document([self.analysis])["runs"]
        return runs[0]

    def markdown(self) -> str:
        """The report as Markdown, without its charts."""
        from runreport.report.build import build_report
        from runreport.report.markdown import render_markdown

        return render_markdown(build_report(self.analysis))

    def html(self) -> str:
        """The report as one page that needs no network, with charts to move in: for a browser, not for a cell."""
        from runreport.report.build import build_report
        from runreport.report.html import render_html
        from runreport.report.write import page_charts

        return render_html(build_report(self.analysis, None, charts=page_charts(self.analysis)))

    def save(self, folder: Place = "reports", *, form: Form = "md", charts: bool = True) -> Path:
        """Writes the report into ``folder`` as ``runreport analyze`` does, and says where it is.

        form
            ``md``: Markdown with its charts beside it; ``embedded``: with its charts inside; ``html``: a page.

        Raises
        ------
        InputError
            It cannot be written, or ``form`` is none of these.
        """
        from runreport.report.write import Form, file_names, write_report

        if form not in get_args(Form):
            raise InputError("Report.save", found=f"form={form!r}", expected=" or ".join(map(repr, get_args(Form))))
        (name,) = file_names([self.name])
        return write_report(self.analysis, None, Path(folder), name, charts=charts, form=form).report

    def __repr__(self) -> str:
        return f"Report({self.title})"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        from runreport.report.build import build_report
        from runreport.report.charts import to_svg
        from runreport.report.markdown import render_markdown
        from runreport.report.notebook import notebook_html

        images = {f"{name}.svg": to_svg(chart) for name, chart in self.charts.items()}
        figures = {name: f"{name}.svg" for name in self.charts}
        return notebook_html(render_markdown(build_report(self.analysis, None, figures)), images)


class ComparisonReport:
    """Runs beside each other.

    comparison
        All that was found out: :class:`runreport.compare.record.Comparison`.
    """

    def __init__(self, comparison: Comparison, reports: Iterable[Report]) -> None:
        self.comparison = comparison
        self.reports = tuple(reports)

    @cached_property
    def runs(self) -> pl.DataFrame:
        """A row a run: ``run, split, n, r2, variance_ratio, pearson_r, bias, mae``; null where unknown."""
        import polars as pl

        figures = ("r2", "variance_ratio", "pearson_r", "bias", "mae")
        rows = []
        for name, final in self.comparison.finals.items():
            values = [final[figure] if final is not None else None for figure in figures]
            rows.append((name, final.split if final else None, final.n if final else None, *values))
        schema: dict[str, Any] = {"run": pl.String, "split": pl.String, "n": pl.Int64} | dict.fromkeys(
            figures, pl.Float64
        )
        return pl.DataFrame(rows, schema=schema, orient="row", strict=False)

    @cached_property
    def differences(self) -> pl.DataFrame:
        """Paired differences, second minus first (variance_ratio: log of second over first), with their intervals and
        Holm's p; no rows where no paired test was possible (:attr:`refused` says why)."""
        import polars as pl

        numbers = ("difference", "low", "high", "p_holm", "minimum_detectable")
        schema: dict[str, Any] = dict.fromkeys(("metric", "first", "second"), pl.String) | dict.fromkeys(
            numbers, pl.Float64
        )
        paired = self.comparison.paired
        found = () if paired is None else paired.differences
        rows = [(d.metric, d.first, d.second, d.estimate, d.lo, d.hi, d.p_holm, d.minimum_detectable) for d in found]
        return pl.DataFrame(rows, schema=schema, orient="row", strict=False)

    @property
    def refused(self) -> str | None:
        """Why no paired test was made; None where one was."""
        return self.comparison.refused

    @cached_property
    def document(self) -> dict[str, Any]:
        """The comparison as in the JSON report (docs/json.md)."""
        from runreport.report.json import document

        whole: dict[str, Any] = document([report.analysis for report in self.reports], self.comparison)["comparison"]
        return whole

    def markdown(self) -> str:
        """The comparison as Markdown, without its charts."""
        from runreport.report.comparison_files import design_report
        from runreport.report.markdown import render_markdown

        return render_markdown(design_report(self.comparison))

    def __repr__(self) -> str:
        return f"ComparisonReport({', '.join(self.comparison.names)})"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        from runreport.report.notebook import notebook_html

        return notebook_html(self.markdown())
