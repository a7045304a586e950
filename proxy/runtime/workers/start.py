"""Where a worker's process begins: hardened first, deaf to signals, then everything else.

Nothing secret is on its command line or in its environment but what the parent's holds anyway.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TextIO, cast

from proxy.clock import SystemClock
from proxy.plane.loop import run
from proxy.runtime.hardening import forbid_dumps, steady_memory
from proxy.runtime.log import Log
from proxy.runtime.workers.lines import WholeLines
from proxy.runtime.workers.worker import Worker

STDERR = 2


def work(descriptor: int) -> None:
    """Be a worker on this end of a channel until the supervisor is gone."""
    forbid_dumps()
    steady_memory()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        # What a signal means is the supervisor's to say; a service may signal the whole group.
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    log = Log(cast("TextIO", WholeLines(STDERR)))
    run(_live(socket.socket(fileno=descriptor), log))


async def _live(sock: socket.socket, log: Log) -> None:
    asyncio.get_running_loop().set_exception_handler(log.loop_fault)
    await Worker(sock, environ=os.environ, log=log, clock=SystemClock()).live()
