"""What an upstream gets for a request: the bytes of one head, as they are on the wire."""

from __future__ import annotations

from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

HOST = b"Host: localhost\r\n"


async def forwarded(upstream: Origin, request: bytes, **route: object) -> bytes:
    """The upstream's bytes, up to the empty line, for a request without a body."""
    async with serving(route_to(upstream.port, **route)) as served:
        client = await served.ask(request)
        wire = await upstream.accept()
        head = await wire.until(b"\r\n\r\n")
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        return head
