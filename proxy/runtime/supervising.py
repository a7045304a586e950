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
    try:
        child = await asyncio.create_subprocess_exec(*command, env=environ)
    except OSError as error:
        return not_run(command[0], error)
    loop = asyncio.get_running_loop()
    for name in FORWARDED:
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError):  # Windows: the console tells the child itself
                loop.add_signal_handler(number, _pass_on, child, number)
    code = await child.wait()
    return 128 - code if code < 0 else code


def _pass_on(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if number.name in FROM_KEYBOARD and in_foreground():
        return
    with suppress(ProcessLookupError):
        child.send_signal(number)


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
