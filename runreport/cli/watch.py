"""``runreport watch``: a run while it is being written."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from runreport.cli.common import column_options, console, fail, say, settings_from
from runreport.cli.options import Column, Reader, SettingsFile
from runreport.errors import InputError

if TYPE_CHECKING:
    from rich.console import Group

    from runreport.watch.alerts import Alert, Alerts
    from runreport.watch.follow import Follower, Reading

HELP = """Follow a run while it is being written: its last epochs, and a ring when a rule first fires.

Example: runreport watch logs/csv/run4.csv

Reads every format that analyze reads (native, Lightning, Keras, TensorBoard, ...); of a folder, the run written last. It ends
when the run's metrics file is written, after --until-idle seconds without a change, or with Ctrl-C.

Exit code 0: no warning holds at the end; 1: one does; 2: nothing could be read."""
FIRED = 1


def watch(
    path: Annotated[str, typer.Argument(metavar="PATH", help="Log file, or a folder: then the run written last.")],
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between looks at the files.")] = 2.0,
    until_idle: Annotated[
        float | None, typer.Option(min=0.0, help="End after this many seconds without a change.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, print, end: for scripts.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="A line an epoch instead of a live table.")] = False,
    bell: Annotated[bool, typer.Option("--bell/--no-bell", help="Ring the terminal's bell when a rule fires.")] = True,
    column: Column = None,
    reader: Reader = None,
    settings: SettingsFile = None,
) -> None:
    """Parse, follow, print."""
    from runreport.ingest.reader import ReadOptions
    from runreport.ingest.registry import reader_named
    from runreport.watch.alerts import Alerts
    from runreport.watch.follow import Follower

    try:
        chosen = settings_from(settings, None)
        options = ReadOptions(columns=column_options(column or []))
        if reader is not None:
            reader_named(reader)
    except InputError as error:
        fail(error)
    follower, alerts = Follower(path=path, options=options, reader=reader), Alerts(settings=chosen)
    live = not plain and not once and sys.stdout.isatty()
    session = _Session(follower, alerts, bell=bell, live=live)
    try:
        if once:
            over = session.look()
            over = session.look() or over  # a last line without its end is taken where the file stays as it is
            session.state = "the run is over" if over else "not over, as far as its files say"
        elif live:
            session.show(interval, until_idle)
        else:
            session.follow(interval, until_idle)
    except KeyboardInterrupt:
        session.state = "stopped"
    session.finish()
    if session.reading is None or session.reading.run is None:
        problem = session.problem or InputError(path, found="nothing to read")
        fail(problem)
    if any(alert.matters for alert in alerts.by_rule.values()):
        raise typer.Exit(FIRED)


class _Session:
    """One call: what was read last, what was printed, and when to end."""

    def __init__(self, follower: Follower, alerts: Alerts, *, bell: bool, live: bool) -> None:
        self.follower, self.alerts, self.bell, self.live = follower, alerts, bell, live
        self.reading: Reading | None = None
        self.problem: InputError | None = None
        self.state = "watching"
        self.printed = 0
        self.changed = time.monotonic()
        self.named = False

    def look(self) -> bool:
        """One poll; whether the run is over."""
        reading = self.follower.poll()
        if reading is None:
            return False
        if reading.problem is not None:
            # A file that is being rewritten is not whole for a moment; what was read before stays on the screen.
            if self.reading is None and not self.live and str(reading.problem) != str(self.problem):
                self._say(f"waiting: {reading.problem}")
            self.problem = reading.problem
            return False
        self.changed = time.monotonic()
        self.problem = None
        if reading.began_again or reading.newer:
            self.alerts.clear()
            self.printed = 0
            self._say("another run began" if reading.newer else "the log began again")
            self.named = False
        self.reading = reading
        if reading.run is not None:
            self._judge(reading)
        return reading.ended

    def _judge(self, reading: Reading) -> None:
        run = reading.run
        if run is None:
            return
        if reading.others and not self.named:
            self._say(f"following {run.name}, written last of {1 + len(reading.others)} runs")
        self.named = True
        new = self.alerts.update(run, ended=reading.ended)
        if not self.live:
            self._lines(reading, new)
        if self.bell and sys.stdout.isatty() and any(alert.matters for alert in new):
            sys.stdout.write("\a")
            sys.stdout.flush()

    def _lines(self, reading: Reading, new: list[Alert]) -> None:
        from runreport.findings import Severity
        from runreport.watch.screen import alert_line, epoch_line

        history = reading.run.history if reading.run is not None else None
        for index in range(self.printed, len(history) if history is not None else 0):
            if history is not None:
                typer.echo(epoch_line(history, index))
        self.printed = max(self.printed, len(history) if history is not None else 0)
        for alert in new:
            if alert.finding.severity is not Severity.INFO:
                typer.echo(alert_line(alert))

    def _say(self, text: str) -> None:
        if not self.live:
            say(text)
        else:
            self.state = text

    def _over(self, until_idle: float | None) -> bool:
        if until_idle is not None and time.monotonic() - self.changed >= until_idle:
            self.state = f"nothing was written for {until_idle:g} seconds"
            return True
        return False

    def follow(self, interval: float, until_idle: float | None) -> None:
        """Line by line until the end."""
        while not self.look():
            if self._over(until_idle):
                return
            time.sleep(interval)
        self.state = "the run is over"

    def show(self, interval: float, until_idle: float | None) -> None:
        """The live table until the end."""
        from rich.live import Live

        with Live(self._screen(), console=console(), auto_refresh=False, transient=True) as live:
            while not self.look():
                live.update(self._screen(), refresh=True)
                if self._over(until_idle):
                    return
                time.sleep(interval)
        self.state = "the run is over"

    def _screen(self) -> Group:
        from runreport.watch.screen import screen

        run = self.reading.run if self.reading is not None else None
        written = self.reading.written_at if self.reading is not None else None
        ago = None if written is None else time.time() - written
        state = self.state if self.problem is None else f"waiting: {self.problem}"
        return screen(run, self.alerts.shown, ago, state)

    def finish(self) -> None:
        """What stays on the screen."""
        if self.reading is None or self.reading.run is None:
            return
        if self.live:
            console().print(self._screen())
            return
        from runreport.watch.screen import status

        holding = sum(alert.matters for alert in self.alerts.by_rule.values())
        fired = f"{holding} warning{'s' if holding != 1 else ''} at the end"
        typer.echo(f"{status(self.reading.run, None, self.state)}; {fired}")
