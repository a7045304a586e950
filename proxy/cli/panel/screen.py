"""The terminal while something live is on it: keys without Enter, the other screen, all given back.

Knows nothing of what is shown. Where there is no terminal to read keys from, none come.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final, TextIO

from rich.console import Console, RenderableType
from rich.live import Live

QUITTING: Final = frozenset(b"qQ\x03\x04")
"""q, Ctrl-C and Ctrl-D."""
_LONGEST: Final = 0.25
"""Seconds after which a new size of the window is noticed."""


class Screen:
    """Draws on the whole terminal, and tells when the person wants to leave.

    Args:
        console: of the terminal.
        stdin: where keys come from.
    """

    def __init__(self, console: Console, stdin: TextIO | None) -> None:
        self._console = console
        readable = stdin is not None and stdin.isatty() and sys.platform != "win32"
        self._keys = stdin.fileno() if stdin is not None and readable else None
        self._live = self._fresh()
        self._stopping = False

    def draw(self, what: RenderableType) -> None:
        """Show this."""
        self._live.update(what, refresh=True)

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the window has another size; False: the person wants to leave."""
        size = self._console.size
        while seconds > 0:
            step = min(seconds, _LONGEST)
            seconds -= step
            if self._pressed(step) & QUITTING:
                return False
            if self._stopping:
                self._rest()
                return True
            if self._console.size != size:
                return True
        return True

    def _pressed(self, seconds: float) -> frozenset[int]:
        if self._keys is None:
            time.sleep(seconds)
            return frozenset()
        ready, _, _ = select.select([self._keys], [], [], seconds)
        if not ready:
            return frozenset()
        return frozenset(os.read(self._keys, 64) or b"q")  # a terminal that is gone

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """The terminal is ours inside, and as it was afterwards, whatever ends us."""
        with _signals(self._stop), _single_keys(self._keys):
            self._live.start()
            try:
                yield
            finally:
                self._live.stop()

    def _fresh(self) -> Live:
        return Live(console=self._console, screen=True, auto_refresh=False)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _rest(self) -> None:
        """Ctrl-Z: the terminal is the shell's until we are called back."""
        self._stopping = False
        self._live.stop()
        with _lent_back(self._keys):
            os.kill(os.getpid(), signal.SIGSTOP)
        self._live = self._fresh()
        self._live.start()


@contextlib.contextmanager
def _signals(stop: object) -> Iterator[None]:
    """What would end us unwinds instead, so that the terminal is given back."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    wanted = {"SIGTERM": end, "SIGHUP": end, "SIGTSTP": stop}
    before = {
        number: signal.signal(number, handler)  # type: ignore[arg-type] # as signal wants them
        for name, handler in wanted.items()
        if (number := getattr(signal, name, None)) is not None
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _single_keys(descriptor: int | None) -> Iterator[None]:
    """Keys come one by one, and are not shown."""
    if descriptor is None or sys.platform == "win32":
        yield
        return
    import termios  # noqa: PLC0415 - not on every system
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _lent_back(descriptor: int | None) -> Iterator[None]:
    """Lines and echo for the shell meanwhile."""
    if descriptor is None or sys.platform == "win32":
        yield
        return
    import termios  # noqa: PLC0415 - not on every system
    import tty  # noqa: PLC0415

    ours = termios.tcgetattr(descriptor)
    shells = termios.tcgetattr(descriptor)
    shells[tty.LFLAG] |= termios.ICANON | termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, shells)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, ours)
