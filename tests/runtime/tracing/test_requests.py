"""Requests as spans, at a collector that decodes what really came over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from proxy.config.model import Tracing
from proxy.runtime.tracing.opening import Following, followed
from tests.support.collector import CLIENT, SERVER, Collector, Told, collecting
from tests.support.plane import Served, route_to, serving
from tests.support.refused import refused_once
from tests.support.wire import OK, Message, Origin, origin

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as taking:
        yield taking


@pytest.fixture
async def upstream() -> AsyncIterator[Origin]:
    async with origin() as serving_:
        yield serving_


@asynccontextmanager
async def followed_plane(
    upstream: Origin, collector: Collector, **tracing: object
) -> AsyncIterator[Served]:
    """A plane whose spans have all arrived when the block is over."""
    told: list[str] = []
    following = followed(Tracing(collector.url, **tracing), {}, told.append)  # type: ignore[arg-type]
    assert isinstance(following, Following)
    try:
        async with serving(route_to(upstream.port, "/a/", "/v1/")) as served:
            served.plane.tracing = following.requests
            yield served
    finally:
        following.close()
    assert told == []


def asking(*lines: str, target: str = "/a/x?token=s3cret") -> bytes:
    return "\r\n".join(
        [f"POST {target} HTTP/1.1", "Host: localhost", "Content-Length: 3", *lines, "", "abc"]
    ).encode()


async def one(served: Served, upstream: Origin, *lines: str, answer: bytes = OK) -> Message:
    """One exchange; what the upstream got."""
    client = await served.ask(asking(*lines))
    wire, message = await upstream.request()
    wire.send(answer)
    await client.response()
    await served.record()
    return message


def pair(collector: Collector) -> tuple[Told, Told]:
    (server,), (client,) = collector.of_kind(SERVER), collector.of_kind(CLIENT)
    return server, client


async def test_a_request_is_a_server_span_with_a_client_span_below(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        message = await one(served, upstream, "X-Other: 1")
    server, client = pair(collector)
    assert (server.trace, client.parent) == (client.trace, server.span)
    assert server.parent == ""
    parent = f"00-{client.trace}-{client.span}-".encode()
    context = message.head.one(b"traceparent")
    assert context is not None
    assert context.startswith(parent)
    assert int(context[-2:], 16) & 1
    assert message.head.one(b"tracestate") is None
    assert message.body == b"abc"
    assert server.name == "POST /a/"
    assert server.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/a/",
        "url.path": "/a/x",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "http.request.body.size": 3,
        "http.response.body.size": 2,
        "token_sidecar.credential": "token",
        "token_sidecar.token.generation": 1,
    }
    assert client.name == "POST"
    assert client.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "server.address": "127.0.0.1",
        "server.port": upstream.port,
        "url.full": "http://upstream.example/v1/x",
    }
    assert not server.failed
    assert not client.failed
    assert server.resource["service.name"] == "token-sidecar"


async def test_the_callers_trace_is_joined_and_its_state_untouched(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        state = "tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"
        message = await one(served, upstream, f"traceparent: 00-{TRACE}-{SPAN}-01", state)
    server, client = pair(collector)
    assert (server.trace, server.parent) == (TRACE, SPAN)
    assert message.head.one(b"traceparent") == f"00-{TRACE}-{client.span}-01".encode()
    assert state.encode() in message.head.lines


@pytest.mark.parametrize("context", ["odd", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01"])
async def test_a_malformed_context_begins_a_trace_without_what_was_said_of_another(
    upstream: Origin, collector: Collector, context: str
) -> None:
    async with followed_plane(upstream, collector) as served:
        message = await one(served, upstream, f"traceparent: {context}", "tracestate: a=1")
    server, client = pair(collector)
    assert server.parent == ""
    assert server.trace != TRACE
    told = message.head.one(b"traceparent")
    assert told is not None
    assert told.startswith(f"00-{server.trace}-{client.span}-".encode())
    assert message.head.one(b"tracestate") is None


async def test_what_the_caller_does_not_record_is_not_recorded_here(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        message = await one(served, upstream, f"traceparent: 00-{TRACE}-{SPAN}-00")
    assert collector.spans == []
    told = message.head.one(b"traceparent")
    assert told is not None
    assert told.startswith(f"00-{TRACE}-".encode())
    assert told.endswith(b"-00")
    assert SPAN.encode() not in told


async def test_a_share_of_nothing_records_only_what_callers_do(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector, sample=0.0) as served:
        client = await served.ask(asking())
        wire, message = await upstream.request()
        assert message.head.one(b"traceparent")
        wire.send(OK)
        await client.response()
        client.send(asking(f"traceparent: 00-{TRACE}-{SPAN}-01"))
        await wire.request()
        wire.send(OK)
        await client.response()
    assert [span.trace for span in collector.of_kind(SERVER)] == [TRACE]


async def test_a_replay_is_a_second_client_span(upstream: Origin, collector: Collector) -> None:
    async with followed_plane(upstream, collector) as served:
        client = await served.ask(asking())
        wire, first, second = await refused_once(upstream)
        wire.send(OK)
        assert (await client.response()).status == 200
    (server,), (refused, again) = collector.of_kind(SERVER), collector.of_kind(CLIENT)
    assert refused.failed
    assert refused.attributes["error.type"] == "401"
    assert (refused.attributes["http.response.status_code"], refused.parent) == (401, server.span)
    assert again.attributes["http.request.resend_count"] == 1
    assert again.attributes["http.response.status_code"] == 200
    assert not server.failed
    contexts = [message.head.one(b"traceparent") for message in (first, second)]
    for context, span in zip(contexts, (refused, again), strict=True):
        assert context is not None
        assert span.span.encode() in context


async def test_an_upstream_that_is_not_there_is_an_error_of_a_kind(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        client = await served.ask(asking())
        (await upstream.accept()).reset()
        assert (await client.response()).status == 502
    server, client_span = pair(collector)
    assert server.failed
    assert server.attributes["http.response.status_code"] == 502
    assert server.attributes["error.type"] == client_span.attributes["error.type"]
    assert client_span.failed


async def test_the_apis_own_errors_are_told_of_both(upstream: Origin, collector: Collector) -> None:
    async with followed_plane(upstream, collector) as served:
        for answer in (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 404 No\r\n\r\n"):
            client = await served.ask(asking())
            wire, _ = await upstream.request()
            wire.send(answer)
            wire.close()
            await client.response()
    told = [(one.kind, one.attributes["http.response.status_code"], one.failed) for one in
            sorted(collector.spans, key=lambda span: (span.kind, span.trace))]  # fmt: skip
    assert sorted(told) == sorted(
        [(SERVER, 503, True), (SERVER, 404, False), (CLIENT, 503, True), (CLIENT, 404, True)]
    )


async def test_a_method_that_was_made_up_does_not_name_a_span(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        client = await served.ask(asking().replace(b"POST", b"BREW"))
        wire, _ = await upstream.request()
        wire.send(OK)
        await client.response()
    server, client_span = pair(collector)
    assert (server.name, client_span.name) == ("HTTP /a/", "HTTP")
    assert server.attributes["http.request.method"] == "_OTHER"
    assert server.attributes["http.request.method_original"] == "BREW"


async def test_no_token_no_query_and_no_header_is_told(
    upstream: Origin, collector: Collector
) -> None:
    async with followed_plane(upstream, collector) as served:
        message = await one(served, upstream, "X-Secret: h1dden", "Cookie: c00kie=1")
        assert message.head.one(b"authorization") == b"Bearer token-1"
        assert b"s3cret" in message.head.target
    sent = b"".join(collector.bodies)
    assert sent
    for secret in (b"token-1", b"s3cret", b"h1dden", b"c00kie", b"abc"):
        assert secret not in sent
