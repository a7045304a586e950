"""Requests that a route answers itself: read whole, never sent on, judged by whom they name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.http1.fields import Fields, values
from proxy.plane.local import Asked, Told
from proxy.plane.settings import Limits
from proxy.secret import Secret
from tests.support.plane import Served, round_trips, route_to, serving
from tests.support.wire import OK, Message, Origin, until

CLIENTS = {"notebook": Secret("n0te"), "other": Secret("0ther")}
POST = b"POST /api/login HTTP/1.1\r\nHost: localhost\r\n"


@dataclass
class Desk:
    """Answers ``login`` with what was asked; "Bearer pass" stands for a notebook's key."""

    wants_token: bool = True
    passes: bool = True
    asked: list[Asked] = field(default_factory=list)
    fails: bool = False

    def place(self, method: bytes, parts: Sequence[bytes]) -> Desk | None:
        return self if (method, tuple(parts)) == (b"POST", (b"login",)) else None

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        if self.fails:
            raise RuntimeError("a bug")
        return Told(200, "text/plain", b"decoy", (("X-Own", "1"),))

    def client(self, fields: Fields) -> str | None:
        passed = self.passes and values(fields, b"authorization") == [b"Bearer pass"]
        return "notebook" if passed else None

    def asked_by_nobody(self, method: bytes, parts: Sequence[bytes]) -> bool:
        return (method, tuple(parts)) == (b"GET", (b"open",))


async def login(served: Served, *lines: bytes, body: bytes = b"key=1") -> Message:
    length = b"Content-Length: %d" % len(body)
    wire = await served.ask(POST, b"\r\n".join((length, *lines)), b"\r\n\r\n", body)
    return await wire.response()


async def test_an_answer_of_its_own_goes_to_nobody_else(upstream: Origin) -> None:
    desk = Desk()
    async with serving(route_to(upstream.port, "/api/", local=desk)) as served:
        answer = await login(served)
        assert (answer.status, answer.body) == (200, b"decoy")
        assert answer.head.one(b"x-own") == b"1"
        assert answer.head.one(b"cache-control") == b"no-store"
        record = await served.record()
        assert (record.route, record.status, record.bytes_in) == ("/api/", 200, 5)
        assert served.plane.totals["/api/"].requests == {200: 1}
        assert served.plane.in_flight == 0
    assert upstream.accepted == 0
    (asked,) = desk.asked
    assert asked.base == "http://localhost/api/"
    assert (asked.body, asked.token) == (b"key=1", b"token-1")


async def test_other_requests_of_the_route_go_on(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, "/api/", local=Desk())) as served:
        client = await served.ask(b"GET /api/login HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire, message = await upstream.request()
        wire.send(OK)
        assert (await client.response()).body == b"ok"
    assert message.head.target == b"/login"
    assert message.head.one(b"authorization") == b"Bearer token-1"


@pytest.mark.parametrize("target", [b"/api/%6cogin", b"/%61pi/login", b"/api/login?a=b"])
async def test_no_other_spelling_slips_through(upstream: Origin, target: bytes) -> None:
    desk = Desk()
    async with serving(route_to(upstream.port, "/api/", local=desk)) as served:
        head = b"POST " + target + b" HTTP/1.1\r\nHost: localhost\r\n"
        client = await served.ask(head, b"Content-Length: 0\r\n\r\n")
        assert (await client.response()).status == 200
    assert upstream.accepted == 0
    assert desk.asked[0].base.startswith("http://localhost/")


async def test_the_body_may_come_in_pieces_and_the_connection_goes_on(upstream: Origin) -> None:
    desk = Desk()
    async with serving(route_to(upstream.port, "/api/", local=desk)) as served:
        client = await served.ask(POST, b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.response()).status == 100
        client.send(b"ab")
        await round_trips(served)
        client.send(b"cd", POST, b"Content-Length: 1\r\n\r\ne")
        assert (await client.response()).status == 200
        assert (await client.response()).status == 200
    assert [asked.body for asked in desk.asked] == [b"abcd", b"e"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 411),
        (b"Content-Length: 70000\r\n\r\n" + b"a" * 70000, 413),
    ],
)
async def test_a_body_that_no_login_has_is_refused(
    upstream: Origin, head: bytes, status: int
) -> None:
    desk = Desk()
    async with serving(route_to(upstream.port, "/api/", local=desk)) as served:
        answer = await (await served.ask(POST, head)).response()
        assert answer.status == status
        assert answer.head.one(b"connection") == b"close"
        assert (await served.record()).error == "http_request_error"
    assert not desk.asked


async def test_it_waits_for_a_token_only_where_one_is_wanted(upstream: Origin) -> None:
    desk = Desk(wants_token=False)
    route = route_to(upstream.port, "/api/", local=desk)
    async with serving(route, filled=False) as served:
        assert (await login(served)).status == 200
        desk.wants_token = True
        assert (await login(served)).status == 200
    assert [asked.token for asked in desk.asked] == [None, b"token-1"]


async def test_what_is_wrong_with_the_token_is_told(upstream: Origin) -> None:
    route = route_to(upstream.port, "/api/", local=Desk())
    async with serving(route, filled=False) as served:
        served.source.errors = [
            TokenRequestError(
                "no: invalid_client", failure=Failure.TERMINAL, reason="invalid_client"
            )
        ]
        answer = await login(served)
        assert answer.status == 502
        assert "invalid_client" in json.loads(answer.body)["detail"]


async def test_a_client_that_leaves_while_it_waits_is_forgotten(upstream: Origin) -> None:
    desk = Desk()
    route = route_to(upstream.port, "/api/", local=desk)
    async with serving(route, filled=False) as served:
        served.source.gate.clear()
        client = await served.ask(POST, b"Content-Length: 0\r\n\r\n")
        await until(lambda: served.source.asked)
        client.close()
        assert (await served.record()).error == "client_gone"
        served.source.gate.set()
        await until(served.credential.current)
        await round_trips(served)
        assert served.plane.in_flight == 0
    assert not desk.asked


async def test_a_bug_is_reported_and_answered(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, "/api/", local=Desk(fails=True))) as served:
        assert (await login(served)).status == 500
        assert [str(bug) for bug in served.bugs] == ["a bug"]
        served.bugs.clear()


async def test_too_much_in_flight_is_too_much_for_these_too(upstream: Origin) -> None:
    route = route_to(upstream.port, "/api/", local=Desk())
    async with serving(route, filled=False, limits=Limits(in_flight=1)) as served:
        served.source.gate.clear()
        await served.ask(POST, b"Content-Length: 0\r\n\r\n")
        await until(lambda: served.source.asked)
        assert (await login(served)).status == 503
        served.source.gate.set()


# -- where clients are configured


def get(target: bytes, *lines: bytes) -> bytes:
    head = (b"GET " + target + b" HTTP/1.1", b"Host: localhost", *lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


async def test_a_login_needs_no_key_in_its_head_and_may_have_one(upstream: Origin) -> None:
    desk = Desk()
    route = route_to(upstream.port, "/api/", local=desk)
    async with serving(route, clients=CLIENTS) as served:
        assert (await login(served)).status == 200
        assert (await login(served, b"X-Token-Sidecar-Key: n0te")).status == 200
        assert (await login(served, b"Origin: https://evil.example")).status == 403
        assert (await login(served, b"Sec-Fetch-Site: cross-site")).status == 403
    assert [asked.client for asked in desk.asked] == [None, "notebook"]


async def test_what_was_given_out_counts_as_the_key_as_long_as_it_lasts(upstream: Origin) -> None:
    desk = Desk()
    route = route_to(upstream.port, "/api/", local=desk)
    other = route_to(upstream.port, "/other/")
    async with serving(route, other, clients=CLIENTS) as served:
        client = await served.ask(get(b"/api/x", b"Authorization: Bearer pass"))
        wire, message = await upstream.request()
        wire.send(OK)
        assert (await client.response()).status == 200
        assert message.head.all(b"authorization") == [b"Bearer token-1"]
        assert (await served.record()).client == "notebook"
        desk.passes = False
        client.send(get(b"/api/x", b"Authorization: Bearer pass"))
        assert (await client.response()).status == 403
        desk.passes = True
        client.send(get(b"/other/x", b"Authorization: Bearer pass"))
        assert (await client.response()).status == 403


async def test_it_opens_no_route_that_its_client_may_not_use(upstream: Origin) -> None:
    route = route_to(upstream.port, "/api/", local=Desk(), clients=frozenset({"other"}))
    async with serving(route, clients=CLIENTS) as served:
        client = await served.ask(get(b"/api/x", b"Authorization: Bearer pass"))
        assert (await client.response()).status == 403
    assert upstream.accepted == 0


async def test_what_is_asked_before_the_login_goes_up_without_the_credential(
    upstream: Origin,
) -> None:
    route = route_to(upstream.port, "/api/", local=Desk(), clients=frozenset({"other"}))
    async with serving(route, clients=CLIENTS) as served:
        client = await served.ask(get(b"/api/open", b"Authorization: Bearer wrong"))
        wire, message = await upstream.request()
        wire.send(OK)
        assert (await client.response()).status == 200
        assert message.head.all(b"authorization") == []
        client.send(get(b"/api/open", b"Authorization: Bearer 0ther"))
        message = await wire.request()
        wire.send(OK)
        assert (await client.response()).status == 200
        assert message.head.all(b"authorization") == [b"Bearer token-1"]
