"""Which address of an upstream is connected to: dead ones delay little, changes are followed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy.plane.dial import AddressInfo, look_up
from proxy.plane.settings import Upstream
from tests.support.certificates import Authority
from tests.support.plane import bound, route_to, serving
from tests.support.wire import OK, Origin, origin

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAM = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")


def v4(port: int) -> AddressInfo:
    return (socket.AF_INET, *STREAM, ("127.0.0.1", port))


def v6(port: int) -> AddressInfo:
    return (socket.AF_INET6, *STREAM, ("::1", port, 0, 0))


class Names:
    """A name service of one name, whose answer can be changed."""

    def __init__(self, *answer: AddressInfo) -> None:
        self.answer: tuple[AddressInfo, ...] = answer
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        self.asked.append((host, port))
        if not self.answer:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.answer


@pytest.fixture
def silent() -> Iterator[int]:
    """A port of ::1 that takes connections in no more: whoever connects waits."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket(socket.AF_INET6))
        try:
            listening.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        listening.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(socket.AF_INET6))
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def to(tls: ssl.SSLContext | None = None, timeout: float = 60.0) -> Upstream:
    return Upstream("up.example", 80, "up.example", tls, connect_timeout=timeout)


async def check_answered(named: Upstream, names: Names, at: Origin) -> None:
    async with serving(route_to(0, upstream=named), resolve=names) as served:
        client = await served.ask(GET)
        wire, _ = await at.request()  # within 5 s, where the connect timeout is 60
        wire.send(OK)
        assert (await client.response()).body == b"ok"
        assert names.asked == [("up.example", 80)]


async def test_ipv6_that_is_silent_does_not_keep_ipv4_waiting(silent: int) -> None:
    async with origin() as alive:
        await check_answered(to(), Names(v6(silent), v4(alive.port)), alive)


async def test_ipv6_that_is_silent_does_not_keep_tls_over_ipv4_waiting(
    silent: int, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with origin(authority.server_context(authority.issue("up.example"))) as alive:
        trusting = to(authority.client_context())
        await check_answered(trusting, Names(v6(silent), v4(alive.port)), alive)


async def test_an_address_that_refuses_is_followed_by_the_next() -> None:
    sock, refusing = bound()  # nobody listens, and nobody else gets it
    with sock:
        async with origin() as alive:
            await check_answered(to(), Names(v4(refusing.port), v4(alive.port)), alive)


async def test_addresses_that_all_are_silent_are_a_504(silent: int) -> None:
    names = Names(v6(silent), v6(silent))
    async with serving(route_to(0, upstream=to(timeout=0.1)), resolve=names) as served:
        answer = await (await served.ask(GET)).response()
        assert answer.status == 504
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_timeout"


async def test_addresses_that_all_refuse_are_a_502() -> None:
    sock, refusing = bound()  # nobody listens, and nobody else gets it
    names = Names(v6(refusing.port), v4(refusing.port))
    with sock:
        async with serving(route_to(0, upstream=to()), resolve=names) as served:
            answer = await (await served.ask(GET)).response()
            assert answer.status == 502
        assert b"127.0.0.1" not in answer.body


@pytest.mark.parametrize("answer", [(), None])
async def test_a_name_without_addresses_is_a_502(answer: tuple[()] | None) -> None:
    async def nothing(host: str, port: int) -> Sequence[AddressInfo]:  # noqa: ARG001
        return []

    resolve = Names() if answer is None else nothing
    async with serving(route_to(0, upstream=to()), resolve=resolve) as served:
        answered = await (await served.ask(GET)).response()
        assert answered.status == 502
        assert answered.head.one(b"proxy-status") == b"token-sidecar; error=dns_error"


async def test_a_new_connection_follows_a_change_of_dns(upstream: Origin) -> None:
    before, names = upstream, Names(v4(upstream.port))
    async with origin() as after, serving(route_to(0, upstream=to()), resolve=names) as served:
        client = await served.ask(GET)
        wire, _ = await before.request()
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        await client.response()
        names.answer = (v4(after.port),)
        client.send(GET)
        wire, _ = await after.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", v4(80)), ("::1", v6(80))])
async def test_an_ip_address_is_its_own_answer(host: str, expected: AddressInfo) -> None:
    assert list(await look_up(host, 80)) == [expected]


async def test_a_name_is_looked_up_by_the_machine() -> None:
    assert ("127.0.0.1", 80) in [info[4] for info in await look_up("localhost", 80)]
