"""What a person sees, at 80 columns, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from proxy.demo.legacy import KINDS, Result
from proxy.demo.narrator import Narrator
from proxy.demo.observe import Held
from proxy.demo.report import Report
from proxy.demo.screen import PlainLines, View, picture, screen, size


def busy() -> Report:
    report = Report()
    for kind in KINDS:
        for _ in range(1234):
            report.add(Result(kind, 200, sent=9 << 20, received=999 << 10))
    return report


def view(elapsed: float = 5.0, report: Report | None = None) -> View:
    credentials = (
        Held("inference", "unavailable", 12, age=3.25, renewal=0.5),
        Held("mlops", "empty", 0),
    )
    return View(elapsed, 20.0, report or busy(), credentials)


def printed(width: int = 80, **more) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, **more), out


def test_the_tables_fit_80_columns_with_nothing_cut_off():
    console, out = printed()
    console.print(picture(view()))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in out.getvalue()
    assert "4936" in out.getvalue()
    assert "unavailable" in out.getvalue()


def test_without_a_terminal_there_are_plain_ascii_lines():
    console, out = printed()
    with screen(console) as shown:
        assert isinstance(shown, PlainLines)
        shown.show(view())
    assert out.getvalue().isascii()
    assert "\x1b" not in out.getvalue()
    assert "4936 requests, 0 x 401, 0 failed" in out.getvalue()
    assert "inference: 11 renewals, token age 3.2 s, next renewal in 0.5 s" in out.getvalue()
    assert "mlops: 0 renewals, token age -, next renewal in -" in out.getvalue()


def test_plain_lines_come_now_and_then_not_at_every_look():
    console, out = printed()
    with screen(console) as shown:
        for quarter in range(80):
            shown.show(view(quarter / 4, Report()))
    assert 4 <= out.getvalue().count("requests") <= 7


def test_on_a_terminal_the_table_stays_in_place(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    console, out = printed(force_terminal=True)
    with screen(console) as shown:
        shown.show(view(1.0))
        shown.show(view(2.0))
    assert "\x1b[1A" in out.getvalue()


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    console, _ = printed(force_terminal=True)
    with screen(console) as shown:
        assert isinstance(shown, PlainLines)


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console, out = printed(force_terminal=True)
    console.print(picture(view()))
    assert "\x1b[3" not in out.getvalue()


def test_addresses_are_never_broken_so_that_they_can_be_copied():
    console, out = printed(width=20)
    Narrator(console).failed(["one reason that is rather long\n    and its last words"])
    assert "    and its last words" in out.getvalue()


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (64 << 20, "64.0 MiB"),
        (1 << 30, "1.00 GiB"),
        (5 << 40, "5120.00 GiB"),
    ],
)
def test_sizes_are_told_in_binary_units(count, said):
    assert size(count) == said
