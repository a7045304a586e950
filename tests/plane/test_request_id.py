from __future__ import annotations

import pytest

from proxy.plane.request_id import request_id
from proxy.plane.trace_context import parent_of
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CONTEXT = f"00-{TRACE}-{SPAN}-01"


def head(*lines: str) -> bytes:
    return "\r\n".join(["GET /x HTTP/1.1", "Host: localhost", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["X-Request-Id: abc"], "abc"),
        (["x-request-ID:\t a/b+c==~ "], "a/b+c==~"),
        (["X-Request-Id: " + "x" * 128], "x" * 128),
        (["X-Request-Id: " + "x" * 129], None),
        (["X-Request-Id:"], None),
        (["X-Request-Id: a b"], None),
        (["X-Request-Id: caf\xe9"], None),
        (['X-Request-Id: a"b'], None),
        (["X-Request-Id: a\\b"], None),
        (["X-Request-Id: a b", "X-Request-Id: a", "X-Request-Id: b"], "a"),
        (["Not-X-Request-Id: a"], None),
        ([f"traceparent: {CONTEXT}"], TRACE),
        ([f"TraceParent: {CONTEXT}", "X-Request-Id: mine"], "mine"),
        ([f"traceparent: {CONTEXT}", "X-Request-Id: not fit"], TRACE),
        ([f"traceparent: {CONTEXT}x"], None),
        ([], None),
    ],
)
def test_a_request_is_called_as_its_caller_does_if_that_is_fit(
    lines: list[str], name: str | None
) -> None:
    assert request_id(head(*lines)) == name


@pytest.mark.parametrize(
    "value",
    [
        "",
        CONTEXT.upper(),
        CONTEXT + "-more",
        CONTEXT + " ",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"01-{TRACE}-{SPAN}-01more",
        f"0-{TRACE}-{SPAN}-01",
    ],
)
def test_a_malformed_traceparent_is_none(value: str) -> None:
    assert parent_of(value.encode()) is None


@pytest.mark.parametrize(
    ("value", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"00-{TRACE}-{SPAN}-ff", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
    ],
)
def test_a_traceparent_of_this_version_or_a_later_one_is_read(value: str, sampled: bool) -> None:
    found = parent_of(value.encode())
    assert found is not None
    assert (found.flags & 1 == 1) is sampled


async def test_the_record_has_the_name_whether_or_not_the_head_was_seen_before(
    upstream: Origin,
) -> None:
    async with serving(route_to(upstream.port)) as served:
        client = await served.connect()
        wire = None
        for name in ("one", "two", "two", "three"):
            client.send(head(f"X-Request-Id: {name}"))
            wire = wire or await upstream.accept()
            assert (await wire.request()).head.one(b"x-request-id") == name.encode()
            wire.send(OK)
            await client.response()
            assert (await served.record()).request_id == name


async def test_what_is_refused_is_recorded_under_its_name_too(upstream: Origin) -> None:
    async with serving(route_to(upstream.port, "/a/")) as served:
        client = await served.ask(head("X-Request-Id: lost"))
        assert (await client.response()).status == 404
        assert (await served.record()).request_id == "lost"
