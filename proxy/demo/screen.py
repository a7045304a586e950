"""What a person sees: a table that lives on a terminal, plain lines elsewhere, 80 columns wide.

Only shows; decides nothing. Colours follow NO_COLOR, and every word is ASCII.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from proxy.demo.observe import Held
from proxy.demo.report import Report, Tally

WIDTH: Final = 80
LABELS: Final = {
    "records": "29-column record",
    "arrow": "Arrow, 10,000 rows",
    "chat": "streamed chat",
    "upload": "64 MiB upload",
}
NARROWEST: Final = {"sent": 10, "received": 10, "state": 11}
"""So that columns don't move while their numbers grow."""
LINES: Final = 6
"""How many times the state is told where there is no terminal."""


@dataclass(frozen=True, slots=True)
class View:
    """One moment of the run; seconds."""

    elapsed: float
    seconds: float
    report: Report
    held: tuple[Held, ...]


class Screen(Protocol):
    """Shows one moment after the other."""

    def show(self, view: View) -> None:
        """Show this one."""


class LiveTable:
    """The same table, over and over in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, view: View) -> None:
        """Replace what is there."""
        self._live.update(picture(view), refresh=True)


class PlainLines:
    """A few lines now and then, for pipes and files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = 0.0

    def show(self, view: View) -> None:
        """Print this moment if the last one is long enough ago."""
        if view.elapsed < self._shown + view.seconds / LINES:
            return
        self._shown = view.elapsed
        for line in told(view):
            self._console.print(line, highlight=False, soft_wrap=True)


@contextmanager
def screen(console: Console) -> Iterator[Screen]:
    """What suits the console."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainLines(console)
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield LiveTable(live)


def told(view: View) -> Iterator[str]:
    """The moment in plain lines."""
    total = view.report.total
    yield (
        f"{view.elapsed:5.1f} s  {total.requests} requests, {total.unauthorized} x 401, "
        f"{total.failed} failed, {size(total.sent)} up, {size(total.received)} down"
    )
    for one in view.held:
        yield (
            f"         {one.name}: {counted(one.renewals, 'renewal')}, "
            f"token age {seconds(one.age)}, next renewal in {seconds(one.renewal)}"
        )


def picture(view: View) -> Group:
    """The moment as two tables."""
    clock = Text(f"   {view.elapsed:4.1f} s of {view.seconds:.0f} s", style="dim")
    return Group(clock, work(view.report), tokens(view.held))


def work(report: Report, frame: box.Box = box.ROUNDED) -> Table:
    """What the program did, one row per kind."""
    columns = ("requests", "200", "401", "else", "sent", "received")
    table = _table("program sends", columns, frame)
    for kind, tally in report.tallies.items():
        table.add_row(LABELS[kind], *_cells(tally))
    table.add_section()
    table.add_row("together", *_cells(report.total), style="bold")
    return table


def tokens(held: Sequence[Held], frame: box.Box = box.ROUNDED) -> Table:
    """What the sidecar holds, one row per credential."""
    columns = ("state", "renewals", "token age", "next renewal")
    table = _table("sidecar holds", columns, frame)
    for one in held:
        state = Text(one.state, style="green" if one.state in {"valid", "renewing"} else "red")
        table.add_row(one.name, state, str(one.renewals), seconds(one.age), seconds(one.renewal))
    return table


def _table(first: str, others: Sequence[str], frame: box.Box) -> Table:
    table = Table(width=WIDTH - 1, box=frame, border_style="dim")
    table.add_column(first, no_wrap=True, ratio=1)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True, min_width=NARROWEST.get(name))
    return table


def _cells(tally: Tally) -> tuple[str | Text, ...]:
    return (
        str(tally.requests),
        Text(str(tally.ok), style="green"),
        _bad(tally.unauthorized),
        _bad(tally.failed),
        size(tally.sent),
        size(tally.received),
    )


def _bad(count: int) -> Text:
    return Text(str(count), style="bold red" if count else "dim")


def size(count: int) -> str:
    """Bytes for a person."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.2f} GiB"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def seconds(amount: float | None) -> str:
    """Seconds for a person; a dash where there is no number."""
    return "-" if amount is None else f"{amount:.1f} s"
