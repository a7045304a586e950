"""Runs a command's work in a loop of its own; a signal ends it, but not before it may be ended.

The work decides what it still does when it is cancelled; the process then ends by the signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")
ENDING: Final = ("SIGTERM", "SIGHUP")
"""Beside SIGINT, which asyncio itself turns into a cancellation."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """What comes of ``work``.

    Raises:
        KeyboardInterrupt: it was interrupted; and whatever it raises.
    """
    came: list[int] = []
    try:
        return asyncio.run(_heeding(work, came))
    except asyncio.CancelledError:
        if not came:
            raise
        signal.signal(came[0], signal.SIG_DFL)
        os.kill(os.getpid(), came[0])
        raise


async def _heeding(work: Coroutine[Any, Any, T], came: list[int]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(number: int) -> None:
        came.append(number)
        if task is not None:
            task.cancel()

    for name in ENDING:
        number = getattr(signal, name, None)
        # Whoever had us ignore it (nohup) means it.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows; other threads
                loop.add_signal_handler(number, end, number)
    return await work
