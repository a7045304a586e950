"""Upstreams behind an egress proxy: a tunnel by CONNECT, and what its refusals become."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from proxy.plane.settings import Proxy, Upstream
from proxy.secret import Secret
from tests.support.certificates import Authority
from tests.support.egress_proxy import egress_proxy
from tests.support.plane import Served, bound, route_to, serving
from tests.support.wire import OK, Message, Origin, Wire, origin, until

GET = b"GET /a?b HTTP/1.1\r\nHost: localhost\r\nX-Odd:  kept \r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PASSWORD = Secret("Basic dXNlcjpwdzE=")


def behind(port: int, password: Secret | None = None, **options: object) -> Upstream:
    """An upstream that can be reached through the proxy on this port only."""
    proxy = Proxy("127.0.0.1", port, password)
    return Upstream("up.example", 80, "up.example", proxy=proxy, **options)  # type: ignore[arg-type]


async def asked(proxy: Origin, served: Served, *answer: bytes) -> tuple[Wire, Wire]:
    """A client that has asked, and the proxy's end after it has said ``answer``."""
    client = await served.ask(GET)
    wire = await proxy.accept()
    await wire.head()
    wire.send(*answer)
    return client, wire


def refusal(answer: Message, status: int, error: str) -> str:
    assert answer.status == status
    assert answer.head.one(b"proxy-status") == b"token-sidecar; error=" + error.encode()
    detail: str = json.loads(answer.body)["detail"]
    return detail


async def test_an_upstream_over_plain_http_is_reached_by_a_tunnel() -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client = await served.ask(GET)
        wire = await proxy.accept()
        assert await wire.until(b"\r\n\r\n") == (
            b"CONNECT up.example:80 HTTP/1.1\r\nHost: up.example:80\r\n\r\n"
        )
        wire.send(ESTABLISHED)
        assert await wire.until(b"\r\n\r\n") == (
            b"GET /a?b HTTP/1.1\r\nHost: up.example\r\nX-Odd:  kept \r\n"
            b"Authorization: Bearer token-1\r\n\r\n"
        )
        wire.send(OK)
        assert (await client.response()).body == b"ok"


async def test_the_tunnel_serves_one_request_after_another() -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client, wire = await asked(proxy, served, ESTABLISHED)
        for _ in range(3):
            assert (await wire.request()).head.target == b"/a?b"
            wire.send(OK)
            assert (await client.response()).body == b"ok"
            client.send(GET)
        assert proxy.accepted == 1


async def test_the_proxy_gets_its_password_and_the_upstream_does_not() -> None:
    to = behind(0, PASSWORD)
    async with origin() as proxy:
        to = behind(proxy.port, PASSWORD)
        async with serving(route_to(0, upstream=to)) as served:
            client = await served.ask(GET)
            wire = await proxy.accept()
            assert (await wire.head()).one(b"proxy-authorization") == b"Basic dXNlcjpwdzE="
            wire.send(ESTABLISHED)
            seen = await wire.request()
            assert b"dXNlcjpwdzE" not in b"".join(seen.head.lines)
            wire.send(OK)
            await client.response()
            assert "dXNlcjpwdzE" not in repr(to)


async def test_an_ipv6_upstream_stands_in_brackets() -> None:
    async with origin() as proxy:
        to = Upstream("fd00::1", 8000, "[fd00::1]:8000", proxy=Proxy("127.0.0.1", proxy.port))
        async with serving(route_to(0, upstream=to)) as served:
            await served.ask(GET)
            head = await (await proxy.accept()).head()
            assert head.start == b"CONNECT [fd00::1]:8000 HTTP/1.1"
            assert head.one(b"host") == b"[fd00::1]:8000"


async def test_tls_inside_the_tunnel_is_the_upstreams_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    mine = authority.issue("sidecar")
    theirs = authority.server_context(authority.issue("up.example", addresses=()), ask_client=True)
    async with origin(theirs) as upstream, egress_proxy() as proxy:
        proxy.target = ("127.0.0.1", upstream.port)
        to = Upstream(
            "up.example", 443, "up.example", authority.client_context(mine),
            proxy=Proxy("127.0.0.1", int(proxy.url.rpartition(":")[2]), PASSWORD),
        )  # fmt: skip
        async with serving(route_to(0, upstream=to)) as served:
            client = await served.ask(GET)
            wire, seen = await upstream.request()
            assert seen.head.one(b"proxy-authorization") is None
            shown = wire.writer.get_extra_info("peercert")
            assert shown["subject"] == ((("commonName", "sidecar"),),)
            wire.send(OK)
            assert (await client.response()).body == b"ok"
            assert proxy.asked[0].startswith("CONNECT up.example:443 HTTP/1.1\r\n")


async def test_a_certificate_inside_the_tunnel_is_told_of_the_upstream(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    theirs = authority.server_context(authority.issue())
    async with origin(theirs) as upstream, egress_proxy() as proxy:
        proxy.target = ("127.0.0.1", upstream.port)
        at = Proxy("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        to = Upstream("up.example", 443, "up.example", authority.client_context(), proxy=at)
        async with serving(route_to(0, upstream=to)) as served:
            client = await served.ask(GET)
            detail = refusal(await client.response(), 502, "tls_certificate_error")
            assert "up.example" in detail


REFUSALS = [
    (407, 502, "proxy_configuration_error"),
    (403, 502, "destination_unavailable"),
    (502, 502, "destination_unavailable"),
    (503, 502, "destination_unavailable"),
    (504, 504, "connection_timeout"),
    (302, 502, "destination_unavailable"),
    (101, 502, "http_protocol_error"),
]


def says(status: int) -> list[bytes]:
    if status == 101:
        return [b"HTTP/1.1 101 Sorry\r\n\r\n"] * 9
    return [
        b"HTTP/1.1 %d Sorry\r\nLocation: http://elsewhere.example/\r\n" % status,
        b"Proxy-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno",
    ]


@pytest.mark.parametrize(("status", "ours", "error"), REFUSALS)
async def test_the_proxys_refusal_is_a_problem_that_names_it(
    status: int, ours: int, error: str
) -> None:
    async with origin() as proxy:
        to = behind(proxy.port, PASSWORD)
        async with serving(route_to(0, upstream=to)) as served:
            client, wire = await asked(proxy, served, *says(status))
            answer = await client.response()
            detail = refusal(answer, ours, error)
            assert f"127.0.0.1:{proxy.port}" in detail
            assert (str(status) in detail) is (status != 101)
            assert answer.head.one(b"proxy-authenticate") is None
            await wire.gone()


NONSENSE = [
    (b"SSH-2.0-OpenSSH_9\r\n\r\n", "http_protocol_error"),
    (b"HTTP/2 200\r\n\r\n", "http_protocol_error"),
    (b"\r\n\r\n", "http_protocol_error"),
    (ESTABLISHED + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "http_protocol_error"),
    (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", "http_protocol_error"),
    (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000, "http_response_header_section_size"),
]


@pytest.mark.parametrize(("answer", "error"), NONSENSE)
async def test_an_answer_of_the_proxy_that_is_none_is_a_502(answer: bytes, error: str) -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client, wire = await asked(proxy, served, answer)
        detail = refusal(await client.response(), 502, error)
        assert f"127.0.0.1:{proxy.port}" in detail
        await wire.gone()


async def test_an_informational_answer_of_the_proxy_is_waited_out() -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client, wire = await asked(proxy, served, b"HTTP/1.1 103 Hm\r\n\r\n", ESTABLISHED)
        await wire.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nA"])
async def test_a_proxy_that_closes_is_a_502(sent: bytes) -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client, wire = await asked(proxy, served, sent)
        wire.close()
        detail = refusal(await client.response(), 502, "connection_terminated")
        assert f"127.0.0.1:{proxy.port}" in detail


async def test_a_proxy_that_is_silent_is_a_504_and_its_connection_is_closed() -> None:
    async with origin() as proxy:
        to = behind(proxy.port, connect_timeout=0.1)
        async with serving(route_to(0, upstream=to)) as served:
            client, wire = await asked(proxy, served, b"HTTP/1.1 200")
            detail = refusal(await client.response(), 504, "connection_timeout")
            assert f"127.0.0.1:{proxy.port}" in detail
            await wire.gone()


async def test_a_client_that_leaves_closes_a_tunnel_that_is_not_there_yet() -> None:
    async with origin() as proxy, serving(route_to(0, upstream=behind(proxy.port))) as served:
        client, wire = await asked(proxy, served)
        client.close()
        await wire.gone()
        await until(lambda: not served.plane.in_flight)


async def test_a_proxy_out_of_reach_is_named() -> None:
    sock, address = bound()  # nobody listens, and nobody else gets it
    async with serving(route_to(0, upstream=behind(address.port))) as served:
        client = await served.ask(GET)
        detail = refusal(await client.response(), 502, "connection_refused")
        sock.close()
        assert detail == f"The proxy 127.0.0.1:{address.port} refuses connections."


async def test_ways_out_that_differ_share_no_connection() -> None:
    async with origin() as one, origin() as other:
        routes = [
            route_to(0, "/one/", upstream=behind(one.port)),
            route_to(0, "/other/", upstream=behind(other.port)),
        ]
        async with serving(*routes) as served:
            client = await served.ask(b"")
            for path, proxy in (b"/one/", one), (b"/other/", other):
                client.send(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                async with asyncio.timeout(60):
                    wire = await proxy.accept()
                await wire.head()
                wire.send(ESTABLISHED)
                await wire.request()
                wire.send(OK)
                assert (await client.response()).body == b"ok"
