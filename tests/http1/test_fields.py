"""Field lines and what they mean for this hop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.fields import nominated, parse_field, stops_here, stops_on_return, trailers_to_pass
from proxy.http1.head import parse_request
from proxy.http1.refusal import MessageError
from proxy.http1.syntax import list_members


def test_a_field_keeps_its_own_bytes_beside_its_name_and_value() -> None:
    field = parse_field(b"X-OdD:\t a: b \t")
    assert (field.name, field.value, field.line) == (b"x-odd", b"a: b", b"X-OdD:\t a: b \t")


@pytest.mark.parametrize("line", [b"A:", b"A: ", b"A:b", b"!#$%&'*+-.^_`|~09azAZ: 1", b"A: \xff"])
def test_odd_but_sound_lines_are_read(line: bytes) -> None:
    assert parse_field(line).line == line


BAD = [b"", b":", b": x", b"A", b"A b: x", b"A : x", b"A\t: x", b" A: x", b"\tA: x", b"A(: x",
       b"A\x00: x", b"\xe9: x", b'A": x', b"A,: x", b"A/b: x", b"A[]: x"]  # fmt: skip


@pytest.mark.parametrize("line", BAD)
def test_what_is_no_field_line_is_refused(line: bytes) -> None:
    for _ in range(2):  # a refusal is not forgotten either
        with pytest.raises(MessageError) as refused:
            parse_field(line)
        assert refused.value.status == 400


@given(st.binary(max_size=40))
def test_arbitrary_lines_raise_nothing_but_message_error(line: bytes) -> None:
    try:
        field = parse_field(line)
    except MessageError:
        return
    assert field.line == line
    assert field.name == line.split(b":")[0].lower()


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (b"", []),
        (b",, ,", []),
        (b"a", [b"a"]),
        (b" A ,\tb,, C-d ", [b"a", b"b", b"c-d"]),
        (b"a b, c", [b"a b", b"c"]),
    ],
)
def test_a_list_gives_its_members_in_lower_case(value: bytes, members: list[bytes]) -> None:
    assert list_members(value) == members


def test_connection_nominates_over_all_its_lines() -> None:
    raw = b"GET / HTTP/1.1\r\nConnection: A, b\r\nX: connection\r\nCONNECTION: c,\r\n\r\n"
    head = parse_request(raw, most_target=9, most_fields=9)
    assert nominated(head.fields) == {b"a", b"b", b"c"}


STOPS = [
    b"connection",
    b"keep-alive",
    b"te",
    b"transfer-encoding",
    b"upgrade",
    b"http2-settings",
    b"forwarded",
    b"x-real-ip",
    b"proxy-connection",
    b"proxy-authorization",
    b"proxy-x",
    b"x-forwarded-for",
    b"x-forwarded-x",
    b"x-token-sidecar",
    b"x-token-sidecar-key",
]


@pytest.mark.parametrize("name", STOPS)
def test_a_field_of_this_hop_stops_here_with_all_its_look_alikes(name: bytes) -> None:
    assert stops_here(name)
    assert stops_here(name.replace(b"-", b"_"))
    assert stops_here(name.replace(b"-", b"_", 1))


@pytest.mark.parametrize(
    "name", [b"x-forward", b"proxy", b"via", b"max-forwards", b"x-real-ip-2", b"trailer", b"cookie"]
)
def test_other_fields_go_on(name: bytes) -> None:
    assert not stops_here(name)


def test_on_return_only_hop_by_hop_fields_and_proxy_authenticate_stop() -> None:
    assert stops_on_return(b"connection")
    assert stops_on_return(b"proxy-authenticate")
    for name in (b"set-cookie", b"x-forwarded-for", b"proxy-status", b"www-authenticate"):
        assert not stops_on_return(name)


def test_trailers_may_not_frame_route_or_authorize() -> None:
    lines = [
        b"Content-Length: 1",
        b"Transfer_Encoding: x",
        b"HOST: x",
        b"Authorization: x",
        b"Set-Cookie: x",
        b"Cookie: x",
        b"X-Forwarded-For: x",
        b"X_Key: x",
        b"X-Sum: 1",
    ]
    passed = trailers_to_pass([parse_field(line) for line in lines], frozenset({b"x-key"}))
    assert [field.line for field in passed] == [b"X-Sum: 1"]
