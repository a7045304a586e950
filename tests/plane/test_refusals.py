"""What breaks a rule or a limit here is counted, by a word of its own."""

from __future__ import annotations

import asyncio

import pytest

from proxy.plane.settings import Limits
from proxy.secret import Secret
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin, until

HEAD = b"GET /a/x HTTP/1.1\r\nHost: localhost\r\n"
KEYED = HEAD + b"X-Token-Sidecar-Key: right\r\n"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (HEAD + b"\r\n", "client_key"),
        (HEAD + b"Authorization: Bearer wrong\r\n\r\n", "client_key"),
        (KEYED + b"Origin: https://web.example\r\n\r\n", "origin"),
        (KEYED + b"Sec-Fetch-Site: cross-site\r\n\r\n", "origin"),
        (KEYED.replace(b"localhost", b"evil.example") + b"\r\n", "host"),
        (KEYED.replace(b"/a/x", b"/elsewhere") + b"\r\n", "no_route"),
        (KEYED.replace(b"/a/x", b"/others/") + b"\r\n", "client_route"),
        (KEYED.replace(b"GET", b"TRACE") + b"\r\n", "method"),
        (KEYED.replace(b"/a/x", b"/a/" + b"x" * 99) + b"\r\n", "target_too_long"),
        (KEYED + b"X: " + b"x" * 999 + b"\r\n\r\n", "head_too_large"),
        (KEYED + b"Content-Length: 9\r\n\r\n", "body_too_large"),
        (KEYED + b"Content-Length: x\r\n\r\n", "malformed"),
        (KEYED + b"Transfer-Encoding: chunked\r\n\r\nx\r\n", "malformed"),
        (KEYED + b"Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n", "body_too_large"),
    ],
)
async def test_a_refusal_is_counted_by_its_reason(
    upstream: Origin, request_: bytes, reason: str
) -> None:
    routes = (
        route_to(upstream.port, "/a/", max_body=8),
        route_to(upstream.port, "/others/", clients=frozenset({"other"})),
    )
    clients = {"one": Secret("right"), "other": Secret("other")}
    limits = Limits(target=99, head=512)
    async with serving(*routes, clients=clients, limits=limits) as served:
        client = await served.ask(request_)
        status = (await client.head()).status
        record = await served.record()
        totals = served.plane.totals[record.route or ""]
        assert totals.refusals == {reason: 1}
        assert totals.requests == {status: 1}


async def test_what_is_one_too_many_is_counted_too(upstream: Origin) -> None:
    limits = Limits(in_flight=1, connections=2)
    async with serving(route_to(upstream.port), limits=limits) as served:
        first = await served.ask(HEAD + b"\r\n")
        wire = await upstream.accept()
        second = await served.ask(HEAD + b"\r\n")
        assert (await second.response()).status == 503
        await until(lambda: len(served.plane.inbounds) == 1)
        served.wires += [await served.connect(), third := await served.connect()]
        assert (await third.response()).status == 503
        assert served.plane.totals["/"].refusals == {"in_flight": 1}
        assert served.plane.totals[""].refusals == {"connections": 1}
        wire.send(OK)
        assert (await first.response()).status == 200


async def test_what_the_upstream_does_is_no_refusal(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(HEAD + b"\r\n")
        (await upstream.accept()).reset()
        assert (await client.response()).status == 502
        totals = served.plane.totals["/"]
        assert sum(totals.errors.values()) == 1
        assert totals.refusals == {}


async def test_waits_for_a_token_are_counted_with_their_length(upstream: Origin) -> None:
    async with serving(route_to(upstream.port), filled=False, hold=10.0) as served:
        served.source.gate.clear()
        client = await served.ask(HEAD + b"\r\n")
        totals = served.plane.totals["/"]
        await until(lambda: totals.waiting == 1)
        assert sum(totals.wait_buckets) == 0
        served.clock.move(0.7)
        served.source.gate.set()
        wire = await upstream.accept()
        await wire.request()
        wire.send(OK)
        assert (await client.response()).status == 200
        assert (totals.waiting, totals.wait_seconds) == (0, pytest.approx(0.7))
        assert totals.wait_buckets == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]


async def test_a_wait_in_vain_is_counted_and_a_client_that_leaves_ends_it(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port), filled=False, hold=2.0) as served:
        served.source.gate.clear()
        vain, leaving = await served.ask(HEAD + b"\r\n"), await served.ask(HEAD + b"\r\n")
        totals = served.plane.totals["/"]
        await until(lambda: totals.waiting == 2)
        leaving.close()
        await until(lambda: totals.waiting == 1)
        served.clock.move(2.1)
        assert (await vain.response()).status == 503
        assert (totals.waiting, sum(totals.wait_buckets)) == (0, 2)
        served.source.gate.set()
        await asyncio.sleep(0)


async def test_who_finds_a_fresh_token_has_not_waited(upstream: Origin) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.ask(HEAD + b"\r\n")
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
        assert sum(served.plane.totals["/"].wait_buckets) == 0
