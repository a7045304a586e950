"""A child of this process that takes the signals we get and gives us its exit code."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from proxy.runtime.replacing import not_run

FORWARDED: Final = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
FROM_KEYBOARD: Final = frozenset({"SIGINT", "SIGQUIT"})
"""A terminal sends these to all in the foreground: the child has them already."""


async def supervised(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run ``command`` to its end; its exit code, 128+n where signal n ended it.

    Its standard streams and its terminal are ours.
    """
    signals = _Signals()
    signals.take()
    try:
        child = await asyncio.create_subprocess_exec(*command, env=environ)
    except OSError as error:
        return not_run(command[0], error)
    signals.give(child)
    code = await child.wait()
    return 128 - code if code < 0 else code


class _Signals:
    """What comes before there is a child is kept for it."""

    def __init__(self) -> None:
        self._kept: list[signal.Signals] = []
        self._child: asyncio.subprocess.Process | None = None

    def take(self) -> None:
        """Heed signals from now on; but what we were started to ignore the child ignores too."""
        loop = asyncio.get_running_loop()
        for name in FORWARDED:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(NotImplementedError):  # Windows: the console tells the child itself
                    loop.add_signal_handler(number, self._pass_on, number)

    def give(self, child: asyncio.subprocess.Process) -> None:
        """Pass them on to this child from now on."""
        self._child = child
        for number in self._kept:
            self._pass_on(number)

    def _pass_on(self, number: signal.Signals) -> None:
        if self._child is None:
            self._kept.append(number)
        elif number.name not in FROM_KEYBOARD or not in_foreground():
            with suppress(ProcessLookupError):
                self._child.send_signal(number)


def in_foreground() -> bool:
    """Whether a terminal's keyboard sends its signals to us."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
