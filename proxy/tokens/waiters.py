"""Those who wait for a change: each with its own timer, so that one's leaving touches no other."""

from __future__ import annotations

import asyncio

from proxy.clock import Clock


class Waiters:
    """Requests that wait; all are woken together and look for themselves what changed."""

    __slots__ = ("_clock", "_futures")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._futures: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._futures)

    def wait(self, seconds: float) -> asyncio.Future[None]:
        """A future that is done after the next ``wake`` or ``seconds``, whichever is first."""
        future = asyncio.get_running_loop().create_future()
        timer = self._clock.call_later(max(seconds, 0.0), lambda: _finish(future))
        self._futures.add(future)
        future.add_done_callback(lambda _: timer.cancel())
        future.add_done_callback(self._futures.discard)
        return future

    def wake(self) -> None:
        """Let everybody look again."""
        for future in self._futures:
            _finish(future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
