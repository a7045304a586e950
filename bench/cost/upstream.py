"""A fast upstream, so that the proxies are what is measured: ``upstream.py PORT [CERT KEY]``.

``GET /N`` answers N bytes; a POST is read whole and answered with the number of its bytes.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

import httptools
import uvloop

BODY = memoryview(b"x" * (4 << 20))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apache.arrow.file\r\nContent-Length: %d"


class Upstream(asyncio.Protocol):
    """One connection; httptools calls the ``on_`` methods."""

    def __init__(self) -> None:
        self._received = 0
        self._target = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """The target came."""
        self._target = url

    def on_body(self, body: bytes) -> None:
        """Some of the body came."""
        self._received += len(body)

    def on_message_complete(self) -> None:
        """Answer."""
        last = self._target.rsplit(b"/", 1)[-1]
        body = BODY[: int(last)] if last.isdigit() else b'[{"n":%d}]' % self._received
        self._received = 0
        self._transport.writelines([HEAD % len(body) + b"\r\n\r\n", body])


async def main(port: int, files: list[str]) -> None:
    """Serve until the process is ended."""
    context = None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
    server = await asyncio.get_running_loop().create_server(
        Upstream, "127.0.0.1", port, backlog=4096, ssl=context
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2:]))
