"""The exercise with aiohttp's client, a step of its loop at a time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
from exercise import Answer, again
from yarl import URL


class Client:
    """One session, in a loop that runs while a request does."""

    version = aiohttp.__version__

    def __init__(self) -> None:
        self.opened = 0
        self._runner = asyncio.Runner()
        self._session: aiohttp.ClientSession = self._runner.run(self._start())

    async def _start(self) -> aiohttp.ClientSession:
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._count)
        return aiohttp.ClientSession(trace_configs=[trace])

    async def _count(self, *_: Any) -> None:
        self.opened += 1

    def send(self, method, url, body, headers) -> Answer:
        return self._runner.run(self._send(method, url, body, headers))

    async def _send(self, method, url, body, headers) -> Answer:
        whole = body if body is None or isinstance(body, bytes) else _stepwise(body)
        async with self._session.request(
            method, URL(url, encoded=True), data=whole, headers=headers
        ) as answer:
            return Answer(answer.status, await answer.read(), answer.headers)

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        answer = self._runner.run(self._get(url))
        yield iter(lambda: self._runner.run(_line(answer)), b"")
        answer.close()

    async def _get(self, url: str) -> aiohttp.ClientResponse:
        return await self._session.get(url)

    def poll(self, url: str) -> Iterator[Answer]:
        return again(self, url)


async def _stepwise(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _line(answer: aiohttp.ClientResponse) -> bytes:
    if answer.content_type == "text/event-stream":
        return await answer.content.readline()
    return await answer.content.readany()
