from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from proxy.cli.terminal import Terminal, has_display
from proxy.clock import Moment
from proxy.oauth.device import DeviceAuthorization
from proxy.secret import Secret


class Screen(io.StringIO):
    """A stderr that may be a terminal."""

    def __init__(self, *, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def code(complete: str | None = "https://id.example/d?c=WDJB") -> DeviceAuthorization:
    return DeviceAuthorization(
        Secret("canary"), "WDJB-MJHT", "https://id.example/d", complete, Moment(0, 0), 5
    )


@contextmanager
def typed(text: bytes) -> Iterator[TextIO]:
    """A stdin that holds this and then ends."""
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    with os.fdopen(reading) as stdin:
        yield stdin


@contextmanager
def terminal() -> Iterator[TextIO]:
    """A stdin that is a terminal."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as stdin:
        yield stdin
    os.close(ours)


async def test_every_line_is_had_by_itself_then_the_end() -> None:
    with typed("erste\nzweite é\nlast".encode()) as stdin:
        person = Terminal({}, stdin, browser=False, paste=True)
        assert [await person.pasted() for _ in range(3)] == ["erste\n", "zweite é\n", "last"]
        with pytest.raises(EOFError):
            await person.pasted()


async def test_a_pipe_is_read_only_where_pasting_is_the_way() -> None:
    with typed(b"something else\n") as stdin:
        with pytest.raises(EOFError):
            await Terminal({}, stdin, browser=False, paste=False).pasted()
        assert stdin.readline() == "something else\n"
    with pytest.raises(EOFError):
        await Terminal({}, None, browser=False, paste=True).pasted()


async def test_who_waits_for_a_line_can_be_cancelled() -> None:
    with terminal() as stdin:
        waiting = asyncio.ensure_future(Terminal({}, stdin, browser=False, paste=True).pasted())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


@pytest.mark.parametrize(
    ("environ", "paste", "returns", "wanted"),
    [
        ({"SSH_CONNECTION": "a b"}, False, True, "This is an SSH session"),
        ({}, False, True, "If that browser is on another machine"),
        ({}, True, False, "Then paste here"),
    ],
)
def test_the_address_comes_with_what_to_do_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    paste: bool,
    returns: bool,
    wanted: str,
) -> None:
    screen = Screen(tty=True)
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal() as stdin:
        person = Terminal(environ, stdin, browser=False, paste=paste)
        person.send("https://id.example/auth?a=b", returns=returns)
    assert "\n  https://id.example/auth?a=b\n" in screen.getvalue()
    assert wanted in screen.getvalue()


@pytest.mark.parametrize("complete", [None, "https://id.example/d?c=WDJB"])
def test_on_a_terminal_a_code_comes_with_something_to_scan(
    monkeypatch: pytest.MonkeyPatch, complete: str | None
) -> None:
    screen = Screen(tty=True)
    monkeypatch.setattr(sys, "stderr", screen)
    Terminal({}, None, browser=False, paste=False).show_code(code(complete))
    said = screen.getvalue()
    assert "WDJB-MJHT" in said
    assert "https://id.example/d\n" in said
    assert said.count("▀") + said.count("▄") + said.count("█") > 100
    assert "canary" not in said


def test_elsewhere_it_is_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(tty=False)
    monkeypatch.setattr(sys, "stderr", screen)
    Terminal({}, None, browser=False, paste=False).show_code(code())
    assert screen.getvalue().isascii()
    assert "\x1b" not in screen.getvalue()


@pytest.mark.parametrize(
    ("platform", "environ", "there"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"BROWSER": "firefox"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("darwin", {}, True),
        ("darwin", {"SSH_CONNECTION": "a b"}, False),
        ("win32", {}, True),
    ],
)
def test_a_browser_needs_somewhere_to_show_itself(
    monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str], there: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert has_display(environ) is there
