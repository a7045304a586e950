"""TLS with an upstream that breaks: what was cut off never looks whole, each fault is told."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path

import pytest

from proxy.config.model import Tls
from proxy.errors import Failure, TokenRequestError
from proxy.runtime.tls import TlsContexts
from tests.support.certificates import Authority
from tests.support.plane import bound, round_trips, route_to, serving, upstream_at
from tests.support.wire import OK, Wire, origin, until

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def truncate(wire: Wire) -> None:
    """End the TCP stream in good order and TLS not at all, as an attacker can."""
    with socket.socket(fileno=os.dup(wire.writer.get_extra_info("socket").fileno())) as sock:
        sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("request_", [GET, OLD])
async def test_a_body_until_the_close_is_whole_when_tls_says_so(
    authority: Authority, request_: bytes
) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(request_)
            wire, _ = await upstream.request()
            wire.send(UNTIL_CLOSE)
            wire.close()
            assert (await client.response()).body == b"half"
            assert (await served.record()).error is None


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("request_", [GET, OLD])
async def test_a_body_until_the_close_that_is_truncated_cuts_the_client(
    authority: Authority, request_: bytes, together: bool
) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(request_)
            wire, _ = await upstream.request()
            wire.send(UNTIL_CLOSE)
            if not together:
                await client.until(b"half")
            truncate(wire)
            with pytest.raises(ConnectionResetError):
                await client.rest()
            record = await served.record()
            assert (record.status, record.error) == (200, "http_response_incomplete")


async def test_a_truncated_body_is_still_cut_when_its_reader_was_slow(
    authority: Authority,
) -> None:
    body = b"x" * (8 << 20)
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.connect(receive_buffer=65536)
            client.send(GET)
            wire, _ = await upstream.request()
            wire.send(b"HTTP/1.1 200 OK\r\n\r\n", body)
            await client.head()
            await until(lambda: any(inbound.blocked for inbound in served.plane.inbounds))
            truncate(wire)
            received = await client.gone()
            assert not received.endswith(b"0\r\n\r\n")


async def test_an_answer_that_was_held_and_truncated_meanwhile_cuts_the_client(
    authority: Authority,
) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            served.source.gate.clear()
            client = await served.ask(GET)
            wire, _ = await upstream.request()
            wire.send(b"HTTP/1.1 401 Unauthorized\r\n\r\nhalf")
            await until(lambda: served.source.asked == 2)
            truncate(wire)
            await round_trips(served)
            served.source.errors.append(
                TokenRequestError("no", failure=Failure.TERMINAL, reason="invalid_grant")
            )
            served.source.gate.set()
            with pytest.raises(ConnectionResetError):
                await client.rest()


def shake_hands_once(listening: socket.socket, context: ssl.SSLContext) -> None:
    """A server whose alerts arrive; asyncio's own closes without having sent them."""
    sock, _ = listening.accept()
    sock.settimeout(5)
    with context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as tls:
        with suppress(ssl.SSLError):
            tls.do_handshake()
        plain = super(ssl.SSLSocket, tls)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(4096):  # a close with bytes unread would be a reset, alert and all
            pass


@pytest.mark.parametrize("why", ["no client certificate", "no version in common"])
async def test_an_alert_of_the_upstream_is_a_502(authority: Authority, why: str) -> None:
    theirs = authority.server_context(authority.issue(), ask_client=why == "no client certificate")
    ours = authority.client_context()
    if why == "no version in common":
        theirs.maximum_version = ssl.TLSVersion.TLSv1_2
        ours.minimum_version = ssl.TLSVersion.TLSv1_3
    listening, address = bound()
    listening.listen()
    with listening:
        server = asyncio.create_task(asyncio.to_thread(shake_hands_once, listening, theirs))
        to = upstream_at(address.port, tls=ours)
        async with serving(route_to(address.port, upstream=to)) as served:
            answer = await (await served.ask(GET)).response()
            assert answer.status == 502
            assert answer.head.one(b"proxy-status") == b"token-sidecar; error=tls_alert_received"
            assert b"upstream.example" in answer.body
        await server


@pytest.mark.skipif(shutil.which("openssl") is None, reason="only openssl asks for renegotiation")
async def test_an_upstream_that_begins_the_handshake_anew_is_a_502(authority: Authority) -> None:
    pair = authority.issue()
    ours = TlsContexts().get(Tls(ca_file=authority.ca_file))
    server = await asyncio.create_subprocess_exec(
        "openssl", "s_server", "-tls1_2", "-accept", "127.0.0.1:0", "-naccept", "1",
        "-cert", str(pair.cert_file), "-key", str(pair.key_file),
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL,
    )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = await server.stdout.readuntil(b"ACCEPT 127.0.0.1:")
            port = int((await server.stdout.readline()).strip())
        assert said
        async with serving(route_to(port, upstream=upstream_at(port, tls=ours))) as served:
            client = await served.ask(GET)
            async with asyncio.timeout(60):
                await server.stdout.readuntil(b"Authorization: Bearer token-1")
            server.stdin.write(b"R\n")
            assert (await client.response()).status == 502
    finally:
        with suppress(ProcessLookupError):  # it ends by itself
            server.kill()
        await server.wait()


async def test_an_end_without_close_notify_before_the_answer_is_a_502(
    authority: Authority,
) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire, _ = await upstream.request()
            truncate(wire)
            answer = await client.response()
            assert answer.status == 502
            assert answer.head.one(b"proxy-status") == b"token-sidecar; error=connection_terminated"


async def test_a_body_of_known_length_needs_no_close_notify(authority: Authority) -> None:
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.ask(GET)
            wire, _ = await upstream.request()
            wire.send(OK)
            truncate(wire)
            assert (await client.response()).body == b"ok"


async def test_a_long_body_until_the_close_is_whole_for_a_slow_reader_too(
    authority: Authority,
) -> None:
    body = bytes(range(256)) * (100 << 10)
    async with origin(authority.server_context(authority.issue())) as upstream:
        to = upstream_at(upstream.port, tls=authority.client_context())
        async with serving(route_to(upstream.port, upstream=to)) as served:
            client = await served.connect(receive_buffer=65536)
            client.send(GET)
            wire, _ = await upstream.request()
            wire.send(b"HTTP/1.1 200 OK\r\n\r\n", body)
            wire.close()
            await until(lambda: any(inbound.blocked for inbound in served.plane.inbounds))
            assert (await client.response()).body == body
