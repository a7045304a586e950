"""Several ways in: routes with a port or a host of their own, Unix sockets, client keys."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from proxy.plane.settings import Address
from proxy.secret import Secret
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin, Wire

ANY = Address("127.0.0.1", 0)
KEYS = {"notebook": Secret("n0te"), "batch": Secret("b4tch")}


async def answered_by(upstream: Origin, client: Wire, request: bytes) -> bytes:
    """Which target the upstream is asked for; a new connection each time."""
    client.send(request)
    wire, seen = await upstream.request()
    wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    await client.response()
    return seen.head.target


async def test_a_listener_of_a_routes_own_serves_that_route_alone(upstream: Origin) -> None:
    own = route_to(upstream.port, "/", "/own/", listener=ANY)
    main = route_to(upstream.port, "/m/", "/main/")
    async with serving(own, main) as served:
        _, second = served.plane.listeners()
        there = await served.connect(second)
        host = b"Host: localhost\r\n\r\n"
        assert await answered_by(upstream, there, b"GET /m/x HTTP/1.1\r\n" + host) == b"/own/m/x"
        here = await served.connect()
        assert await answered_by(upstream, here, b"GET /m/x HTTP/1.1\r\n" + host) == b"/main/x"
        here.send(b"GET /y HTTP/1.1\r\n" + host)
        assert (await here.response()).status == 404


async def test_equal_heads_at_two_listeners_are_not_taken_for_each_other(
    upstream: Origin,
) -> None:
    routes = [
        route_to(upstream.port, "/", "/own/", listener=ANY),
        route_to(upstream.port, "/", "/main/"),
    ]
    async with serving(*routes) as served:
        main, own = served.plane.listeners()
        request = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(3):
            for listener, target in ((main, b"/main/x"), (own, b"/own/x")):
                client = await served.connect(listener)
                assert await answered_by(upstream, client, request) == target


async def test_a_routes_host_is_known_and_has_its_own_routes(upstream: Origin) -> None:
    routes = [
        route_to(upstream.port, "/", "/infer/", host="infer.example"),
        route_to(upstream.port, "/", "/any/"),
    ]
    async with serving(*routes) as served:
        client = await served.ask(b"")
        for host, target in ((b"infer.example", b"/infer/x"), (b"localhost", b"/any/x")):
            request = b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
            assert await answered_by(upstream, client, request) == target
        absolute = b"GET http://infer.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert await answered_by(upstream, client, absolute) == b"/infer/x"
        client.send(b"GET http://evil.example/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await client.response()).status == 421


async def test_a_host_with_another_port_is_refused(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        port = served.settings.listeners[0].port
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (port + 1))
        assert (await client.response()).status == 421
        assert await answered_by(
            upstream, client, b"GET / HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % port
        )


def carried(key: bytes) -> list[bytes]:
    basic = base64.b64encode(b"anybody:" + key)
    return [
        b"Authorization: Bearer " + key,
        b"authorization:  bEARER   " + key + b" ",
        b"Authorization: Basic " + basic,
        b"X-Token-Sidecar-Key: " + key,
        b"x-token-sidecar-key: " + key + b"\r\nAuthorization: Bearer other",
    ]


@pytest.mark.parametrize("line", carried(b"n0te"))
@pytest.mark.parametrize("credential", ["token", None])
@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
async def test_a_client_key_admits_and_never_goes_upstream(
    upstream: Origin, line: bytes, credential: str | None, header: str
) -> None:
    route = route_to(upstream.port, credential=credential, header=header)
    async with serving(route, clients=KEYS) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n", line, b"\r\n\r\n")
        wire, request = await upstream.request()
        raw = b"\r\n".join(request.head.lines)
        assert b"n0te" not in raw
        assert base64.b64encode(b"anybody:n0te") not in raw
        assert b"sidecar" not in raw.lower()
        other = [b"Bearer other"] if b"other" in line and credential is None else []
        token = [b"Bearer token-1"] if credential and header == "Authorization" else []
        assert request.head.all(b"authorization") == other + token
        wire.send(OK)
        await client.response()
        assert (await served.record()).client == "notebook"


WRONG = [
    b"",
    b"Authorization: Bearer wrong\r\n",
    b"Authorization: Bearer n0te2\r\n",
    b"Authorization: n0te\r\n",
    b"Authorization: Bearer\r\n",
    b"Authorization: Bearer \r\n",
    b"Authorization: Basic n0te\r\n",
    b"Authorization: Basic " + base64.b64encode(b"n0te:") + b"\r\n",
    b"X-Token-Sidecar-Key: \r\n",
    b"X-Token-Sidecar-Key: N0TE\r\n",
    b"X-Token_Sidecar-Key: n0te\r\n",
]


@pytest.mark.parametrize("lines", WRONG)
async def test_without_a_valid_key_nothing_is_forwarded(upstream: Origin, lines: bytes) -> None:
    async with serving(route_to(upstream.port), clients=KEYS) as served:
        client = await served.ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n", lines, b"\r\n")
        answer = await client.response()
        assert answer.status == 403
        assert answer.head.one(b"www-authenticate") is None
        assert b"n0te" not in answer.body
        assert upstream.accepted == 0


async def test_a_route_serves_only_the_clients_it_names(upstream: Origin) -> None:
    routes = [
        route_to(upstream.port, "/both/"),
        route_to(upstream.port, "/one/", clients=frozenset({"batch"})),
    ]
    async with serving(*routes, clients=KEYS) as served:
        client = await served.ask(b"")
        for path, key, status in (
            (b"/both/", b"n0te", 200),
            (b"/both/", b"b4tch", 200),
            (b"/one/", b"n0te", 403),
            (b"/one/", b"b4tch", 200),
        ):
            request = (
                b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nX-Token-Sidecar-Key: " + key
            )
            if status == 200:
                assert await answered_by(upstream, client, request + b"\r\n\r\n") == b"/"
            else:
                client.send(request, b"\r\n\r\n")
                assert (await client.response()).status == status


async def test_a_request_over_a_unix_socket_of_our_own_uid_passes(
    upstream: Origin, tmp_path: Path
) -> None:
    address = Address(path=str(tmp_path / "s"))
    async with serving(route_to(upstream.port), listeners=(address,)) as served:
        client = await Wire.connect_unix(address.path)
        served.wires.append(client)
        request = b"GET /x HTTP/1.1\r\nHost: localhost:1234\r\n\r\n"
        assert await answered_by(upstream, client, request) == b"/x"
        client.end()
        assert await client.rest() == b""


async def test_another_uid_on_a_unix_socket_is_refused(
    upstream: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address(path=str(tmp_path / "s"))
    uid = os.getuid()
    async with serving(route_to(upstream.port), listeners=(address,)) as served:
        monkeypatch.setattr(os, "getuid", lambda: uid + 1)  # the peer is then somebody else
        client = await Wire.connect_unix(address.path)
        served.wires.append(client)
        assert (await client.response()).status == 403
        await client.gone()
        assert upstream.accepted == 0


async def test_a_uid_in_peer_uids_is_admitted(
    upstream: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address(path=str(tmp_path / "s"))
    uid = os.getuid()
    route = route_to(upstream.port)
    async with serving(route, listeners=(address,), peer_uids=frozenset({uid})) as served:
        monkeypatch.setattr(os, "getuid", lambda: uid + 1)
        client = await Wire.connect_unix(address.path)
        served.wires.append(client)
        assert await answered_by(upstream, client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
