"""Upstreams and listeners over TLS: own CA, client certificate, and what is not trusted."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest

from proxy.plane.settings import Upstream
from tests.support.certificates import Authority
from tests.support.plane import route_to, serving, upstream_at
from tests.support.wire import OK, noise, origin

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_an_upstream_is_reached_over_tls_with_its_own_ca(authority: Authority) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire, request = await upstream.request()
            assert request.head.one(b"host") == b"upstream.example"
            wire.send(OK)
            assert (await client.response()).body == b"ok"
            client.send(GET)
            await wire.request()  # over the same connection
            wire.send(OK)
            assert (await client.response()).body == b"ok"


@pytest.mark.parametrize("size", [300_000, 6_000_000])
async def test_large_bodies_pass_over_tls_both_ways(authority: Authority, size: int) -> None:
    body = noise(size)
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size, body
            )
            wire, request = await upstream.request()
            assert request.body == body
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, body)
            assert (await client.response()).body == body


async def test_a_slow_reader_stalls_an_upstream_over_tls_and_gets_it_all(
    authority: Authority,
) -> None:
    size = 30 << 20
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire, _ = await upstream.request()
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, noise(size))
            assert (await client.response()).body == noise(size)


async def test_a_client_certificate_is_shown_to_an_upstream_that_asks(
    authority: Authority,
) -> None:
    mine = authority.issue("sidecar")
    async with origin(authority.server_context(authority.issue(), ask_client=True)) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context(mine))
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire, _ = await upstream.request()
            shown = wire.writer.get_extra_info("peercert")
            assert shown["subject"] == ((("commonName", "sidecar"),),)
            wire.send(OK)
            assert (await client.response()).body == b"ok"


UNTRUSTED = ["other authority", "other name", "expired"]


@pytest.mark.parametrize("why", UNTRUSTED)
async def test_a_certificate_that_is_not_trusted_is_a_502_and_no_byte_goes_out(
    authority: Authority, tmp_path: Path, why: str
) -> None:
    pair = authority.issue()
    trusted = authority.client_context()
    if why == "other authority":
        (tmp_path / "other").mkdir()
        trusted = Authority(tmp_path / "other").client_context()
    elif why == "other name":
        pair = authority.issue("elsewhere.example", addresses=())
    else:
        pair = authority.issue(ends=-dt.timedelta(days=1))
    async with origin(authority.server_context(pair)) as upstream:
        to = upstream_at(upstream.port, tls=trusted)
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            answer = await client.response()
            assert answer.status == 502
            assert answer.head.one(b"proxy-status") == (
                b"token-sidecar; error=tls_certificate_error"
            )
            assert b"upstream.example" in answer.body
            assert upstream.accepted == 0


async def test_plain_http_where_tls_is_expected_is_a_502() -> None:
    async with origin() as upstream:
        to = upstream_at(upstream.port, tls=ssl.create_default_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire = await upstream.accept()
            wire.send(b"HTTP/1.1 400 Speak plainly\r\n\r\n")
            answer = await client.response()
            assert answer.status == 502
            assert answer.head.one(b"proxy-status") == b"token-sidecar; error=tls_protocol_error"


async def test_a_handshake_that_does_not_end_is_a_504() -> None:
    async with origin() as upstream:
        to = upstream_at(upstream.port, tls=ssl.create_default_context(), connect_timeout=0.1)
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            answer = await client.response()
            assert answer.status == 504
            assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_timeout"


async def test_upstreams_with_other_tls_do_not_share_connections(authority: Authority) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        routes = [
            route_to(
                upstream.port,
                path,
                upstream=upstream_at(upstream.port, tls=authority.client_context()),
            )
            for path in ("/a/", "/b/")
        ]
        async with serving(*routes) as served:
            client = await served.ask(b"")
            for path in (b"/a/", b"/b/"):
                client.send(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                wire, _ = await upstream.request()
                wire.send(OK)
                assert (await client.response()).body == b"ok"
            assert upstream.accepted == 2


async def test_a_name_that_can_not_be_resolved_is_a_502() -> None:
    to = Upstream("no-such-host.invalid", 1, "no-such-host.invalid")
    async with serving(route_to(1, upstream=to)) as served:
        client = await served.ask(GET)
        answer = await client.response()
        assert answer.status == 502
        assert answer.head.one(b"proxy-status") == b"token-sidecar; error=dns_error"
