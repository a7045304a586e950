"""Who has connected just before the end, and not said anything yet."""

from __future__ import annotations

import asyncio

from proxy.plane.plane import NEWCOMERS
from tests.support.plane import route_to, serving
from tests.support.wire import DEADLINE, OK, Origin, until

GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_who_has_just_connected_may_still_ask_and_not_for_long(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        asks, silent = [await served.connect() for _ in range(2)]
        await until(lambda: len(served.plane.inbounds) == 2)
        served.plane.drain()
        await served.stop_accepting()
        over = asyncio.create_task(served.plane.finished(DEADLINE))
        asks.send(GET)
        wire, _ = await upstream.request()
        wire.send(OK)
        answer = await asks.response()
        assert (answer.status, answer.head.one(b"connection")) == (200, b"close")
        assert not over.done()
        served.clock.move(NEWCOMERS)
        assert await silent.rest() == b""
        assert await over
