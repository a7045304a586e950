from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from proxy.control import application, live
from proxy.control.snapshot import Snapshot, WorkerStatus
from proxy.plane.totals import RouteTotals
from tests.control.conftest import Control, serve, snapshot, status, totals
from tests.support.clock import FakeClock, settle

TURNS = 30
"""Seconds after which nobody's buffers hold what was told meanwhile."""


class Followed:
    """The application with a clock that the test moves."""

    def __init__(self, control: Control, clock: FakeClock) -> None:
        self.control = control
        self.clock = clock
        self.url = ""
        self.faults: list[str] = []
        self.looks = 0
        self.hosted: contextlib.AsyncExitStack | None = None

    def read(self) -> Snapshot:
        self.looks += 1
        return self.control.now

    def fault(self, where: str, error: BaseException) -> None:
        self.faults.append(f"{where} {type(error).__name__}")

    async def second(self) -> None:
        """A second passes, and what was sent arrives."""
        self.clock.settle = lambda: settle(5)
        await self.clock.advance(1.0)


class Stream:
    """One follower's connection."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and content."""
        name = ""
        async with asyncio.timeout(5):
            async for line in self.answer.content:
                if line.startswith(b"event: "):
                    name = line[7:].decode().strip()
                if line.startswith(b"data: "):
                    return name, json.loads(line[6:])
        raise EOFError


@pytest.fixture
async def followed() -> AsyncIterator[Followed]:
    control = Control(snapshot())
    here = Followed(control, FakeClock())
    async with contextlib.AsyncExitStack() as stack:
        here.hosted = stack
        here.url = await serve(
            stack,
            lambda guard: application.admin(
                here.read, control.count, guard, here.fault, control.lending, clock=here.clock
            ),
        )
        yield here


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    unbounded = aiohttp.ClientTimeout(total=None)
    wide = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        timeout=unbounded, connector=wide, read_bufsize=1 << 20
    ) as session:
        yield session


Follow = Callable[[], Awaitable[Stream]]


@pytest.fixture
async def follow(followed: Followed, client: aiohttp.ClientSession) -> AsyncIterator[Follow]:
    streams: list[Stream] = []

    async def begin() -> Stream:
        answer = await client.get(followed.url + "/v1/events")
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        streams.append(Stream(answer))
        return streams[-1]

    yield begin
    for stream in streams:
        stream.answer.close()


async def test_who_follows_is_told_everything_first(
    followed: Followed, follow: Follow, client: aiohttp.ClientSession
) -> None:
    stream = await follow()
    name, said = await stream.event()
    asked = await (await client.get(followed.url + "/v1/status")).json()
    assert name == "whole"
    assert said.pop("at")
    assert said == asked


async def test_then_once_a_second_what_has_changed(followed: Followed, follow: Follow) -> None:
    control = followed.control
    control.now = snapshot(credentials=(status("a"), status("b")), routes={"/x/": totals()})
    stream = await follow()
    await stream.event()
    control.now = replace(
        control.now,
        credentials=(
            status("a", expires_in_seconds=41.3, next_renewal_in_seconds=20.8),
            status("c"),
        ),
        draining=True,
    )
    await followed.second()
    name, said = await stream.event()
    assert name == "change"
    assert said["draining"] is True
    assert said["verdict"]["says"].startswith("It is on its way out")
    assert "version" not in said
    assert list(said["credentials"]) == ["c"]
    assert said["routes"] == {}
    assert said["gone"] == {"process": [], "credentials": ["b"], "routes": []}


async def test_what_counts_down_otherwise_than_expected_is_a_change(
    followed: Followed, follow: Follow
) -> None:
    stream = await follow()
    await stream.event()
    followed.control.now = snapshot(credentials=(status(expires_in_seconds=60.0),))
    await followed.second()
    assert list((await stream.event())[1]["credentials"]) == ["inference"]


async def test_totals_that_are_added_to_in_place_are_a_change(
    followed: Followed, follow: Follow
) -> None:
    sums = totals()
    followed.control.now = snapshot(routes={"/x/": sums, "/y/": totals()})
    stream = await follow()
    await stream.event()
    sums.requests[200] += 1
    sums.buckets[0] += 1
    await followed.second()
    assert (await stream.event())[1]["routes"]["/x/"]["requests"] == {"200": 3, "503": 1}
    await followed.second()
    followed.control.now = snapshot(
        routes={"/y/": totals()}, workers=(WorkerStatus(7, requests=3, in_flight=1, connections=2),)
    )
    await followed.second()
    await stream.event()
    _, said = await stream.event()
    assert (said["gone"]["routes"], said["routes"]) == (["/x/"], {})
    assert said["workers"][0]["pid"] == 7


async def test_one_look_a_second_serves_all_and_nobody_is_looked_at_for_nobody(
    followed: Followed, follow: Follow
) -> None:
    await followed.second()
    assert followed.looks == 0
    streams = [await follow() for _ in range(8)]
    assert followed.looks == 1
    counted = followed.control.counted
    await followed.second()
    assert (followed.looks, followed.control.counted) == (2, counted + 1)
    for stream in streams:
        await stream.event()
        assert (await stream.event())[0] == "change"
        stream.answer.close()
    await followed.second()
    await followed.second()
    await followed.second()
    looks = followed.looks
    assert followed.clock.timers == 0
    await followed.second()
    assert followed.looks == looks


async def test_no_more_follow_than_may(
    followed: Followed, follow: Follow, client: aiohttp.ClientSession
) -> None:
    streams = [await follow() for _ in range(live.MOST)]
    refused = await client.get(followed.url + "/v1/events")
    assert refused.status == 503
    assert refused.headers["Retry-After"] == "2"
    assert refused.content_type == "application/problem+json"
    streams[0].answer.close()
    for _ in range(3):
        await followed.second()
    await follow()


async def test_who_does_not_read_is_cut_off_and_the_others_are_told(
    followed: Followed, follow: Follow
) -> None:
    many = {f"/{number:04}/": RouteTotals() for number in range(3000)}
    followed.control.now = snapshot(routes=many)
    lazy = await _that_does_not_read(followed.url)
    stream = await follow()
    await stream.event()
    for turn in range(TURNS):
        for sums in many.values():
            sums.bytes_in += 1
        await followed.second()
        assert (await stream.event())[1]["routes"]["/0000/"]["bytes_in"] == turn + 1
    with contextlib.closing(lazy):
        assert f'"bytes_in":{TURNS},' not in _all(lazy)


async def _that_does_not_read(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(lazy, (host, int(port)))
    await loop.sock_sendall(
        lazy, f"GET /v1/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    )
    return lazy


def _all(lazy: socket.socket) -> str:
    """What was on the way before the connection ended."""
    lazy.settimeout(5)
    return b"".join(iter(lambda: lazy.recv(1 << 16), b"")).decode()


async def test_an_end_is_told_and_the_stream_ends_in_order(
    followed: Followed, follow: Follow
) -> None:
    stream = await follow()
    await stream.event()
    assert followed.hosted is not None
    await followed.hosted.aclose()
    assert (await stream.event())[0] == "end"
    with pytest.raises(EOFError):
        await stream.event()


async def test_a_fault_lets_the_followers_go_and_is_reported(
    followed: Followed, follow: Follow
) -> None:
    stream = await follow()
    await stream.event()
    followed.control.now = None  # type: ignore[assignment]
    await followed.second()
    with pytest.raises(EOFError):
        await stream.event()
    assert followed.faults == ["control_fault AttributeError"]


async def test_a_page_of_another_site_can_not_follow(
    followed: Followed, client: aiohttp.ClientSession
) -> None:
    for headers in ({"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await client.get(followed.url + "/v1/events", headers=headers)
        assert answer.status == 403
    answer = await client.get(followed.url + "/v1/events", headers={"Host": "evil.example.com"})
    assert answer.status == 421
    assert (await client.post(followed.url + "/v1/events")).status == 405


async def test_the_listener_for_metrics_has_neither_page_nor_events(
    control: Control, client: aiohttp.ClientSession
) -> None:
    for target in ("/", "/v1/events"):
        assert (await client.get(control.metrics + target)).status == 404
