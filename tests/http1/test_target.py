"""Request targets: which forms are read, and what no path may hold in any encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.refusal import MessageError
from proxy.http1.target import parse_target, segments, split_authority

SOUND = [
    b"/",
    b"/a",
    b"/a/",
    b"/a//b",
    b"/a/b//",
    b"/%2F",
    b"/a%2fb",
    b"/.a",
    b"/a.",
    b"/..a",
    b"/a..b",
    b"/...",
    b"/%41",
    b"/%2541",
    b"/%",
    b"/%zz",
    b"/a;b=c",
    b"/a;..;b",
    b"/~user",
    b"/a:b@c!$&'()*+,=",
    b"/%20",
    b"/%09",
    b"/%c3%a9",
    b"/%ff",
    b'/"<>^`{|}',
    b"/a?",
    b"/?",
    b"/?a=/../b",
    b"/?%00",
    b"/?//",
    b"/.well-known/x",
    b"/a/.b/..c",
]


@pytest.mark.parametrize("raw", SOUND)
def test_a_sound_target_is_kept_byte_for_byte(raw: bytes) -> None:
    target = parse_target(b"GET", raw)
    assert target.path + target.query == raw
    assert target.authority is None


CLIMBING = [
    b"/.",
    b"/..",
    b"/./a",
    b"/../a",
    b"/a/./b",
    b"/a/../b",
    b"/a/..",
    b"/a/.",
    b"/%2e",
    b"/%2E%2e/a",
    b"/a/.%2e/b",
    b"/a/%2e./b",
    b"/a%2f..%2fb",
    b"/a%2f..",
    b"/..%2fa",
    b"/..%2Fa",
    b"/..%5ca",
    b"/a%5c..%5cb",
    b"/%252e%252e/a",
    b"/a%252f..%252fb",
    b"/%25252e%25252e/a",
    b"/..;/a",
    b"/a/..;x=1/b",
    b"/%2e%2e;x/a",
    b"/.;/a",
    b"/%c0%ae%c0%ae/a",
    b"/%c0%ae/a",
    b"/%e0%80%ae./a",
    b"/..%00",
    b"/a/..?q",
    b"/a/%2e%2e/x",
    b"/a/..%2fx",
]


@pytest.mark.parametrize("raw", CLIMBING)
def test_a_step_upwards_in_any_encoding_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        parse_target(b"GET", raw)
    assert refused.value.status == 400


FORBIDDEN = [
    b"/%00",
    b"/a%0a",
    b"/a%0A",
    b"/a%0d%0aSet-Cookie:x",
    b"/a\\b",
    b"\\a",
    b"/a#b",
    b"/#",
    b"/?a#b",
    b"/?\\",
    b"//",
    b"//a",
    b"//evil.example/x",
    b"http://h//x",
    b"",
    b"*",
    b"a",
    b"a/b",
    b"?x",
    b"localhost:80",
    b"ftp://h/x",
    b"file:///etc/passwd",
    b"http:/x",
    b"javascript:x",
    b"://h/",
]


@pytest.mark.parametrize("raw", FORBIDDEN)
def test_other_forms_and_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        parse_target(b"GET", raw)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("raw", "authority", "path", "query"),
    [
        (b"http://h/x?y", b"h", b"/x", b"?y"),
        (b"HTTPS://H:8080/x", b"H:8080", b"/x", b""),
        (b"http://h", b"h", b"/", b""),
        (b"http://h?y", b"h", b"/", b"?y"),
        (b"http://h?y/z", b"h", b"/", b"?y/z"),
        (b"http://u:p@h/x", b"u:p@h", b"/x", b""),
        (b"http:///x", b"", b"/x", b""),
    ],
)
def test_an_absolute_form_gives_its_authority_apart(
    raw: bytes, authority: bytes, path: bytes, query: bytes
) -> None:
    assert parse_target(b"GET", raw)[:3] == (path, query, authority)


def test_an_asterisk_is_for_options_alone() -> None:
    assert parse_target(b"OPTIONS", b"*").asterisk
    for method in (b"GET", b"options", b"PRI"):
        with pytest.raises(MessageError):
            parse_target(method, b"*")


@given(st.binary(max_size=60))
def test_arbitrary_targets_raise_nothing_but_message_error(raw: bytes) -> None:
    try:
        target = parse_target(b"GET", raw)
    except MessageError:
        return
    assert target.path.startswith(b"/")
    assert not target.path.startswith(b"//")


PIECES = st.lists(
    st.sampled_from([b".", b"/", b"%2e", b"%2f", b"%252e", b"%5c", b";", b"a", b"%c0%ae", b"%2E"]),
    max_size=10,
)


@given(PIECES)
def test_no_accepted_path_climbs_when_it_is_decoded_once_or_twice(pieces: list[bytes]) -> None:
    try:
        path = parse_target(b"GET", b"/" + b"".join(pieces)).path
    except MessageError:
        return
    for _ in range(3):
        for segment in path.replace(b"\\", b"/").split(b"/"):
            assert segment.split(b";")[0] not in {b".", b".."}
        path = path.replace(b"%2e", b".").replace(b"%2E", b".").replace(b"%2f", b"/")
        path = path.replace(b"%5c", b"\\").replace(b"%25", b"%").replace(b"%c0%ae", b".")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/", [b""]),
        (b"/a/b", [b"a", b"b"]),
        (b"/a%2Fb/%61", [b"a/b", b"a"]),
        (b"/a//b/", [b"a", b"", b"b", b""]),
        (b"/%zz/%", [b"%zz", b"%"]),
    ],
)
def test_segments_are_cut_at_raw_slashes_and_decoded_alone(
    path: bytes, expected: list[bytes]
) -> None:
    assert segments(path) == expected


@pytest.mark.parametrize(
    ("authority", "expected"),
    [
        (b"localhost", ("localhost", None)),
        (b"LocalHost:8080", ("localhost", 8080)),
        (b"h:", ("h", None)),
        (b"[::1]:80", ("[::1]", 80)),
        (b"[::FFFF:1.2.3.4]", ("[::ffff:1.2.3.4]", None)),
        (b"a-b_c.example.", ("a-b_c.example.", None)),
    ],
)
def test_an_authority_is_a_host_and_perhaps_a_port(
    authority: bytes, expected: tuple[str, int | None]
) -> None:
    assert split_authority(authority) == expected


@pytest.mark.parametrize(
    "authority",
    [
        b"",
        b":80",
        b"u@h",
        b"u:p@h",
        b"h:x",
        b"h:123456",
        b"::1",
        b"[::1",
        b"[h]",
        b"h h",
        b"h/x",
        b"h,h",
        b"h:80:80",
        b"h\x00",
        b"\xe9",
        b"h?x",
        b"h%61",
        b"h#",
    ],
)
def test_what_is_no_authority_is_refused(authority: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        split_authority(authority)
    assert refused.value.status == 400
