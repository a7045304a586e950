"""The token is the one of the moment of writing, and no connection is made for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from proxy.errors import Failure, TokenRequestError
from proxy.plane.dial import AddressInfo, look_up
from tests.support.plane import Served, route_to, serving
from tests.support.wire import OK, Origin, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class SlowNames:
    """Looks names up when the test lets it: until then a connection is under way."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()

    async def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        self.asked += 1
        await self.gate.wait()
        return await look_up(host, port)


def open_connections(served: Served) -> int:
    return sum(len(pool.connections) for pool in served.plane._pools.values())


async def test_a_token_that_changed_while_connecting_goes_out_as_the_new_one(
    upstream: Origin,
) -> None:
    names = SlowNames()
    async with serving(route_to(upstream.port), resolve=names) as served:
        client = await served.ask(GET)
        await until(lambda: names.asked)
        await served.credential.refresh(1.0)
        names.gate.set()
        wire, request = await upstream.request()
        assert request.head.one(b"authorization") == b"Bearer token-2"
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_a_token_that_is_gone_once_connected_leaves_no_connection_behind(
    upstream: Origin,
) -> None:
    names = SlowNames()
    async with serving(route_to(upstream.port), resolve=names) as served:
        client = await served.ask(GET)
        await until(lambda: names.asked)
        served.source.errors = [TokenRequestError("no", failure=Failure.SLOW, reason="http_404")]
        assert await served.credential.reject(1, 1.0) is None
        names.gate.set()
        assert (await client.response()).status == 503
        wire = await upstream.accept()
        assert await wire.gone() == b""
        await until(lambda: not open_connections(served))


async def test_a_client_that_leaves_while_a_token_is_awaited_on_a_new_connection_closes_it(
    upstream: Origin,
) -> None:
    names = SlowNames()
    async with serving(route_to(upstream.port), resolve=names) as served:
        client = await served.ask(GET)
        await until(lambda: names.asked)
        served.source.gate.clear()
        rejecting = asyncio.create_task(served.credential.reject(1, 1.0))
        await until(lambda: served.source.asked == 2)
        names.gate.set()
        wire = await upstream.accept()
        client.close()
        assert await wire.gone() == b""
        await until(lambda: not open_connections(served))
        served.source.gate.set()
        await rejecting


async def test_a_client_that_leaves_while_connecting_leaves_no_connection_behind(
    upstream: Origin,
) -> None:
    names = SlowNames()
    async with serving(route_to(upstream.port), resolve=names) as served:
        client = await served.ask(GET)
        await until(lambda: names.asked)
        client.close()
        assert (await served.record()).error == "client_gone"
        names.gate.set()
        await until(lambda: not open_connections(served))
        assert upstream.accepted == 0
