"""A head that is prepared by its outline comes out as if it had been read whole."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.plane.prepare import Prepared, Preparer
from proxy.plane.routes import RouteTable
from proxy.plane.settings import Address, Limits
from proxy.secret import Secret
from tests.support.plane import route_to

LISTENER = Address("127.0.0.1", 8080)
LENDER: Any = object()

STARTS = (
    b"POST /a/x HTTP/1.1", b"GET /a/x HTTP/1.1", b"GET /b/y?q=1 HTTP/1.1", b"PURGE /a/x HTTP/1.1",
    b"GET /c/z HTTP/1.0", b"GET /a/../x HTTP/1.1", b"GET http://localhost/a/x HTTP/1.1",
)  # fmt: skip
DECIDING = (
    b"Host: localhost", b"host: 127.0.0.1:8080", b"Host: evil.example", b"HOST: api.localhost",
    b"Content-Length: 5", b"Content-Length: 7", b"Content-Length: ", b"Content-Length: +5",
    b"content-length: 5", b"Content-Length:5", b"Content_Length: 9",
    b"Transfer-Encoding: chunked", b"transfer-encoding: gzip", b"TE: trailers",
    b"Expect: 100-continue", b"Connection: close", b"Connection: x-a, keep-alive",
    b"Connection: Upgrade", b"Upgrade: websocket",
    b"Authorization: Bearer theirs", b"authorization: Basic dTprZXk=", b"X-Token-Sidecar-Key: key",
    b"Cookie: a=b", b"X-Api-Key: 1", b"x_api_key: 2", b"X-Forwarded-For: 1", b"Proxy_Foo: 1",
    b"Origin: https://web.example", b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: none",
)  # fmt: skip
PLAIN = (
    b"X-A: 1", b"X-A: 2", b"X-Request-Id: 17", b"x-request-id: 18", b"Accept: */*", b"Accept:*/*",
    b"Content-Type: application/json", b"X-Odd: caf\xe9 \t ", b"X-Bad: \x01", b"X Bad: 1",
    b" folded", b"X-Cr: a\rb", b"no colon", b"Cut: whole", b"X-A:",
)  # fmt: skip

BENIGN = (
    *(b"X-Api-Key: 1", b"x_api_key: 2", b"Cookie: a=b", b"Authorization: Bearer theirs"),
    *(b"TE: trailers", b"Connection: x-a, keep-alive", b"Connection: close"),
    *(b"Expect: 100-continue", b"Origin: https://ok.example", b"Origin: https://web.example"),
    *(b"Sec-Fetch-Site: none", b"Sec-Fetch-Site: cross-site"),
    *(b"Content-Length: 5", b"X-Forwarded-For: 1", b"Proxy_Foo: 1", *PLAIN[:8]),
)  # fmt: skip


def written(start: bytes, lines: list[bytes]) -> bytes:
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n"


HOSTILE = st.builds(
    written, st.sampled_from(STARTS), st.lists(st.sampled_from(DECIDING + PLAIN), max_size=7)
)
ORDINARY = st.builds(
    lambda start, lines: written(start, [b"Host: localhost", *lines]),
    st.sampled_from(STARTS[:5]),
    st.lists(st.sampled_from(BENIGN), max_size=4, unique=True),
)
HEADS = st.one_of(ORDINARY, ORDINARY, ORDINARY, HOSTILE)


def preparer(*, keyed: bool) -> Preparer:
    routes = RouteTable(
        [
            route_to(80, "/a/", "/v1/", credential="c"),
            route_to(81, "/b/", "/", credential="c", header="X-Api-Key", scheme="", cookies=True),
            route_to(82, "/c/", "/w", credential=None, rewrite_location=True),
        ]
    )
    clients = {"one": Secret("key")} if keyed else {}
    guard = Guard(LISTENER, clients=clients, origins=["https://ok.example"])
    return Preparer(None, guard, routes, {"c": LENDER}, Limits(fields=6))


def outcome(one: Preparer, head: bytes) -> object:
    try:
        prepared, digits = one.prepare(head)
    except MessageError as error:
        return error.status, error.detail
    plain = {each.name: getattr(prepared, each.name) for each in fields(Prepared)}
    length = int(digits or prepared.framing.length)
    whole = prepared.before + digits + prepared.after
    route = prepared.route.path if prepared.route else None
    skipped = {"before", "after", "framing", "route"}
    return (
        whole,
        length,
        prepared.framing.kind,
        route,
        {name: value for name, value in plain.items() if name not in skipped},
    )


@settings(max_examples=400, deadline=None)
@given(st.lists(HEADS, min_size=2, max_size=20), st.booleans())
def test_whatever_came_before_a_head_comes_out_the_same(heads: list[bytes], keyed: bool) -> None:
    warm = preparer(keyed=keyed)
    for head in heads:
        assert outcome(warm, head) == outcome(preparer(keyed=keyed), head)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STARTS[:3]), st.lists(st.sampled_from(DECIDING + PLAIN[:8]), max_size=4))
def test_a_head_with_one_more_plain_line_comes_out_as_if_read_whole(
    start: bytes, lines: list[bytes]
) -> None:
    warm = preparer(keyed=False)
    host = b"Host: localhost"
    for number in range(3):
        head = b"\r\n".join([start, host, b"X-Request-Id: %d" % number, *lines, b"", b""])
        assert outcome(warm, head) == outcome(preparer(keyed=False), head)


def test_an_empty_length_is_not_taken_for_one_that_was_cut() -> None:
    warm = preparer(keyed=False)
    head = (
        b"POST /a/x HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %d\r\nContent-Length: %b\r\n\r\n"
    )
    for number in range(3):
        assert outcome(warm, head % (number, b"5")) == outcome(
            preparer(keyed=False), head % (number, b"5")
        )
    with pytest.raises(MessageError):
        warm.prepare(head % (9, b""))


def test_an_outline_is_used_for_a_head_that_is_new_in_a_plain_field_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warm = preparer(keyed=False)
    head = b"GET /a/x HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: %d\r\n\r\n"
    warm.prepare(head % 1)
    monkeypatch.delattr(Preparer, "_read")
    prepared, _ = warm.prepare(head % 2)
    assert prepared.after.endswith(b"\r\nX-Request-Id: 2\r\n")


def test_what_one_route_passes_another_that_injects_it_still_drops() -> None:
    warm = preparer(keyed=False)
    first, second = b"GET /a/x HTTP/1.1", b"GET /b/y HTTP/1.1"
    for start, lines in (
        (first, [b"X-Api-Key: 1"]),
        (second, []),
        (second, [b"X-Api-Key: 1"]),
        (second, [b"X-Api-Key: 2"]),
    ):
        prepared, _ = warm.prepare(written(start, [b"Host: localhost", *lines]))
        assert (b"X-Api-Key" in prepared.after) == (start is first)


@pytest.mark.parametrize("start", STARTS[:3])
def test_any_line_after_any_other_comes_out_as_if_read_whole(start: bytes) -> None:
    for first in BENIGN:
        for second in BENIGN + DECIDING:
            warm = preparer(keyed=False)
            for lines in ([first], [second], [first, second], [second, b"X-New: 1"]):
                head = written(start, [b"Host: localhost", *lines])
                assert outcome(warm, head) == outcome(preparer(keyed=False), head), (first, second)


def test_a_client_key_never_passes_as_a_line_that_decides_nothing() -> None:
    guard = Guard(LISTENER, clients={"one": Secret("key")})
    route = route_to(80, credential=None, cookies=True)
    warm = Preparer(None, guard, RouteTable([route]), {}, Limits())
    lines = [b"Host: localhost", b"X-Token-Sidecar-Key: key"]
    own, _ = warm.prepare(written(STARTS[0], [*lines, b"Authorization: Bearer theirs"]))
    assert b"theirs" in own.after
    keyed, _ = warm.prepare(written(STARTS[0], [*lines, b"Authorization: Bearer key"]))
    assert b"key" not in keyed.after
