"""``GET /v1/events``: the status as it changes, told once a second to whoever follows it.

One look a second serves all followers, and nobody is looked at for nobody. Their number is bounded,
and who does not read is cut off: nothing here ever waits for a reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from aiohttp import web

from proxy.clock import Clock, Timer
from proxy.control.changes import Changes, event
from proxy.control.problem import Unexpected, problem
from proxy.control.snapshot import Count, Read

TICK: Final = 1.0
MOST: Final = 16
"""Followers at once; browsers open six connections to one place at most."""
BEHIND: Final = 5
"""Events that may wait for a follower: more, and it is cut off."""
AGAIN: Final = 2
"""Seconds after which it makes sense to come again."""
_BEGIN: Final = b"retry: 1000\n\n"
_END: Final = event("end", {})


class FullError(Exception):
    """As many follow as may."""


class Follower:
    """One reader: what it has not been sent yet.

    Args:
        cut: ends its connection at once.
    """

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._pieces: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def give(self, piece: bytes) -> bool:
        """Have it sent; False where too much waits already, and it was cut off."""
        if len(self._pieces) >= BEHIND:
            self._cut()
            self.end()
            return False
        self._pieces.append(piece)
        self._news.set()
        return True

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._news.set()

    async def next(self) -> bytes | None:
        """What is to be sent now; None: no more."""
        while not self._pieces and not self._ended:
            self._news.clear()
            await self._news.wait()
        return self._pieces.popleft() if self._pieces else None


class Live:
    """Looks once a second while anybody follows, and tells them all.

    Args:
        read: the running sidecar's state.
        count: brings its totals up to the moment.
        clock: for the seconds between.
        unexpected: is told of a fault of ours; the followers are let go then, and come again.
    """

    def __init__(self, read: Read, count: Count, clock: Clock, unexpected: Unexpected) -> None:
        self._read = read
        self._count = count
        self._clock = clock
        self._unexpected = unexpected
        self._changes = Changes(clock)
        self._followers: set[Follower] = set()
        self._timer: Timer | None = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def join(self, cut: Callable[[], None]) -> Follower:
        """A new follower, who is told everything first.

        Raises:
            FullError: too many follow already, or it is all over.
        """
        if self._closed or len(self._followers) >= MOST:
            raise FullError
        if not self._followers:
            self._changes.begin(self._read())
        follower = Follower(cut)
        follower.give(_BEGIN + self._changes.whole())
        self._followers.add(follower)
        self._arm()
        return follower

    def leave(self, follower: Follower) -> None:
        """It is gone; after the last one nothing is looked at any more."""
        self._followers.discard(follower)
        if not self._followers and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def close(self, _application: web.Application | None = None) -> None:
        """Tell everybody that it ends, and stop."""
        self._closed = True
        self._tell(_END)
        self._let_go()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _arm(self) -> None:
        if self._timer is None and self._looking is None and not self._closed:
            self._timer = self._clock.call_later(TICK, self._due)

    def _due(self) -> None:
        self._timer = None
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        try:
            await self._count()
            self._tell(self._changes.next(self._read()))
        except Exception as error:  # noqa: BLE001 - else everybody would wait for ever
            self._unexpected("control_fault", error)
            self._let_go()
        finally:
            self._looking = None
        if self._followers:
            self._arm()

    def _tell(self, piece: bytes) -> None:
        for follower in [one for one in self._followers if not one.give(piece)]:
            self.leave(follower)

    def _let_go(self) -> None:
        for follower in list(self._followers):
            follower.end()
            self.leave(follower)


def events(live: Live) -> list[web.RouteDef]:
    """The route."""

    async def follow(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        try:
            follower = live.join(transport.abort if transport else lambda: None)
        except FullError:
            answer = problem(503, f"{MOST} follow already; /v1/status tells the same once")
            answer.headers["Retry-After"] = str(AGAIN)
            return answer
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await stream.prepare(request)
            while (piece := await follower.next()) is not None:
                await stream.write(piece)
        except ConnectionError:
            pass  # it went away, or was cut off: there is nobody to tell
        finally:
            live.leave(follower)
        return stream

    return [web.get("/v1/events", follow, allow_head=False)]
