"""One worker as the supervisor sees it: its process, its channel, what it said last.

Knows how a worker is started and ended; when, and what it is told, is the crew's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Mapping
from typing import Any, Final

from proxy.control.snapshot import Spans, WorkerStatus
from proxy.plane.totals import RouteTotals
from proxy.runtime.workers import words
from proxy.runtime.workers.channel import Channel, Heard
from proxy.runtime.workers.frames import Said
from proxy.runtime.workers.sums import answered

CHILD: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from proxy.runtime.workers.start import work; work(int(sys.argv[1]))"
)
"""Looks for modules where we do and nowhere else: not in the working directory."""
HUSH: Final = 3
"""Looks without a word after which others are handed what comes."""
LEAVE: Final = 2.0
"""Seconds a worker has to end once its channel is closed."""


class Member:
    """A worker's process.

    Attributes:
        routes: its totals, as it told them last.
        at_work: it serves what it is handed.
        silent: how often the crew has looked since it last said anything.
        spans: what became of its spans; None where nobody follows there.
    """

    __slots__ = (
        "_connections",
        "_expected",
        "_handed",
        "_in_flight",
        "_taken",
        "at_work",
        "channel",
        "process",
        "routes",
        "silent",
        "spans",
    )

    def __init__(
        self, process: asyncio.subprocess.Process, sock: socket.socket, heard: Heard
    ) -> None:
        self.process = process
        self.channel = Channel(sock, self._listen(heard), self.kill)
        self.routes: dict[str, RouteTotals] = {}
        self.at_work = False
        self.silent = 0
        self.spans: Spans | None = None
        self._handed = 0
        self._taken = 0
        self._connections = 0
        self._in_flight = 0
        self._expected: dict[str, asyncio.Future[Said | None]] = {}

    @property
    def busy(self) -> tuple[bool, int]:
        """How unfit it is for one more: stuck as it seems, and the connections it has.

        Those that are on their way to it count as well.
        """
        return self.silent > HUSH, self._connections + self._handed - self._taken

    def hand(self, head: bytes, sock: socket.socket) -> None:
        """Have it serve a connection."""
        self._handed += 1
        self.channel.send(head, sock)

    def load(self, said: Said) -> None:
        """It told how much it has to do."""
        self._taken, self._connections, self._in_flight = (int(one) for one in said["load"])

    def totals(self, said: Said) -> None:
        """It told totals that have changed."""
        self.routes |= {label: words.totals(told) for label, told in said["routes"].items()}
        if "spans" in said:
            exported, lost = said["spans"]
            self.spans = Spans(int(exported), int(lost))

    def expect(self, what: str) -> asyncio.Future[Said | None]:
        """What it will say next of this kind; None if it dies before."""
        return self._expected.setdefault(what, asyncio.get_running_loop().create_future())

    def came(self, what: str, said: Said | None) -> None:
        """It said what may have been expected."""
        expected = self._expected.pop(what, None)
        if expected is not None and not expected.done():
            expected.set_result(said)

    def bury(self) -> None:
        """It is dead: take in its last words, expect no more."""
        self.at_work = False
        self.channel.read()
        self.channel.close()
        for what in list(self._expected):
            self.came(what, None)

    def status(self) -> WorkerStatus:
        """How it is doing."""
        return WorkerStatus(
            self.process.pid, answered(self.routes), self._in_flight, self._connections
        )

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.at_work = False
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def leave(self) -> None:
        """Have it end by itself, or by force where it does not."""
        self.channel.close()
        try:
            async with asyncio.timeout(LEAVE):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()

    def _listen(self, heard: Heard) -> Heard:
        def listening(said: Said, blob: bytes) -> None:
            self.silent = 0
            heard(said, blob)

        return listening


async def begin(environ: Mapping[str, str]) -> tuple[asyncio.subprocess.Process, socket.socket]:
    """A new worker's process and our end of its channel.

    Raises:
        OSError: the system starts no more processes.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    number = theirs.fileno()
    settings: dict[str, Any] = {
        "pass_fds": (number,),
        "env": dict(environ),
        "start_new_session": True,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", CHILD, str(number), *sys.path,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, **settings,
        )  # fmt: skip
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours
