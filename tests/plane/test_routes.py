"""Which upstream a request goes to, and what target it is asked for."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.refusal import MessageError
from proxy.http1.target import parse_target
from proxy.plane.routes import RouteTable
from proxy.plane.settings import Address, Route, Upstream
from tests.support.plane import NOWHERE

OWN = Address("127.0.0.1", 9001)


def route(path: str, upstream_path: str, **options: object) -> Route:
    return Route(path, NOWHERE, upstream_path, None, **options)  # type: ignore[arg-type]


def asked(
    table: RouteTable, target: bytes, host: str | None = None, listener: Address | None = None
) -> bytes | None:
    """What the upstream is asked for, or None where no route serves it."""
    match = table.match(listener, host, parse_target(b"GET", target))
    return match.target if match else None


TABLE = [
    ("/a/", "/v1/", b"/a/x%2Fy?q=%2A", b"/v1/x%2Fy?q=%2A"),
    ("/a/", "/v1/", b"/a", b"/v1/"),
    ("/a/", "/v1/", b"/a?q", b"/v1/?q"),
    ("/a/", "/v1/", b"/a/", b"/v1/"),
    ("/a/", "/v1/", b"/ab", None),
    ("/a/", "/v1/", b"/A/x", None),
    ("/a/", "/v1/", b"/", None),
    ("/a/", "/v1/", b"/%61/x", b"/v1/x"),
    ("/a/", "/v1/", b"/a//x", b"/v1//x"),
    ("/a/", "/v1/", b"/a/x//y;z=1", b"/v1/x//y;z=1"),
    ("/a/", "/v1/", b"/a%2Fx", None),
    ("/a/", "/v1/", b"/a/%61", b"/v1/%61"),
    ("/a/", "/v1/", b"/a/b/", b"/v1/b/"),
    ("/a/", "/v1/", b"/a;x/b", None),
    ("/", "/", b"/anything?", b"/anything?"),
    ("/", "/", b"/", b"/"),
    ("/", "/", b"/a//b", b"/a//b"),
    ("/", "/v1/", b"/x", b"/v1/x"),
    ("/", "/v1", b"/x", b"/v1/x"),
    ("/", "/v1", b"/", b"/v1"),
    ("/a/", "/v1", b"/a", b"/v1"),
    ("/a/", "/v1", b"/a/", b"/v1"),
    ("/a/", "/v1", b"/a/x?y", b"/v1/x?y"),
    ("/a b/", "/", b"/a%20b/c", b"/c"),
    ("/a%20b/", "/", b"/a%20b/c", b"/c"),
    ("/caf\u00e9/", "/", b"/caf%C3%A9/c", b"/c"),
    ("/a/b/c/", "/x/", b"/a/b/c/d", b"/x/d"),
    ("/a/b/c/", "/x/", b"/a/b", None),
]


@pytest.mark.parametrize(("path", "upstream_path", "target", "expected"), TABLE)
def test_the_table_of_targets(
    path: str, upstream_path: str, target: bytes, expected: bytes | None
) -> None:
    assert asked(RouteTable([route(path, upstream_path)]), target) == expected


@pytest.mark.parametrize("target", [b"/a//x", b"/a//", b"/a///x"])
def test_a_target_that_would_begin_with_two_slashes_upstream_is_refused(target: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        asked(RouteTable([route("/a/", "/")]), target)
    assert refused.value.status == 400


def test_the_longest_path_wins_whatever_the_order() -> None:
    routes = [route("/", "/0/"), route("/a/", "/1/"), route("/a/b/", "/2/")]
    for table in (RouteTable(routes), RouteTable(routes[::-1])):
        assert asked(table, b"/a/b/c") == b"/2/c"
        assert asked(table, b"/a/b") == b"/2/"
        assert asked(table, b"/a/bc") == b"/1/bc"
        assert asked(table, b"/a%2fb/c") == b"/0/a%2fb/c"
        assert asked(table, b"/b/a/b") == b"/0/b/a/b"


def test_a_route_of_the_host_goes_before_one_of_any_host() -> None:
    table = RouteTable([route("/a/b/", "/any/"), route("/a/", "/host/", host="h.example")])
    assert asked(table, b"/a/b/c", "h.example") == b"/host/b/c"
    assert asked(table, b"/a/b/c", "other.example") == b"/any/c"
    assert asked(table, b"/a/b/c", None) == b"/any/c"
    assert asked(table, b"/a/x", "other.example") is None


def test_a_listener_of_its_own_serves_its_routes_alone() -> None:
    table = RouteTable([route("/", "/main/"), route("/a/", "/own/", listener=OWN)])
    assert asked(table, b"/a/x", listener=OWN) == b"/own/x"
    assert asked(table, b"/b", listener=OWN) is None
    assert asked(table, b"/a/x") == b"/main/a/x"
    assert asked(table, b"/", listener=Address("127.0.0.1", 9002)) is None


def test_among_a_thousand_routes_each_finds_its_own_and_none_costs_more() -> None:
    small = RouteTable([route("/r0/x/", "/t0/")])
    large = RouteTable([route(f"/r{n}/x/", f"/t{n}/") for n in range(1000)])
    for number in range(1000):
        assert asked(large, b"/r%d/x/y" % number) == b"/t%d/y" % number
    assert asked(large, b"/r1000/x/y") is None
    target = parse_target(b"GET", b"/r0/x/y")

    def seconds(table: RouteTable) -> float:
        best = 1.0
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(200):
                table.match(None, None, target)
            best = min(best, time.perf_counter() - begun)
        return best

    assert seconds(large) < 5 * seconds(small)


@given(
    st.lists(st.sampled_from([b"/", b"a", b"%2F", b"%61", b";", b"//", b"b"]), max_size=8).map(
        b"".join
    ),
    st.sampled_from(["/v1/", "/v1", "/"]),
)
def test_what_follows_the_routes_path_arrives_byte_for_byte(rest: bytes, upstream: str) -> None:
    table = RouteTable([route("/r/", upstream)])
    try:
        target = asked(table, b"/r/" + rest + b"?x%2F")
    except MessageError:
        assert rest.startswith(b"/")
        assert upstream == "/"
        return
    base = upstream.encode()
    joined = base + rest if base.endswith(b"/") or not rest else base + b"/" + rest
    assert target == joined + b"?x%2F"


def test_upstreams_that_are_equal_are_one() -> None:
    assert Upstream("h", 1, "h:1") == Upstream("h", 1, "h:1")
    assert hash(Upstream("h", 1, "h:1")) == hash(Upstream("h", 1, "h:1"))
