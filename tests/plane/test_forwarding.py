"""Bytes in at the client's side, bytes out at the upstream's: what passes, what does not."""

from __future__ import annotations

import pytest

from tests.support.forwarded import HOST, forwarded
from tests.support.wire import Origin


async def test_a_request_goes_out_with_its_own_bytes_another_host_and_the_token(
    upstream: Origin,
) -> None:
    sent = (
        b"POST /a/x%2Fy?q=%2A HTTP/1.1\r\n"
        b"hOsT: localhost\r\n"
        b"X-Odd:   kept  \r\n"
        b"accept:*/*\r\n"
        b"X-Odd:\r\n"
        b"X-Latin: \xe9\r\n"
        b"\r\n"
    )
    assert await forwarded(upstream, sent, path="/a/", upstream_path="/v1/") == (
        b"POST /v1/x%2Fy?q=%2A HTTP/1.1\r\n"
        b"Host: upstream.example\r\n"
        b"X-Odd:   kept  \r\n"
        b"accept:*/*\r\n"
        b"X-Odd:\r\n"
        b"X-Latin: \xe9\r\n"
        b"Authorization: Bearer token-1\r\n"
        b"\r\n"
    )


async def test_nothing_is_added_besides_host_and_token(upstream: Origin) -> None:
    assert await forwarded(upstream, b"GET / HTTP/1.0\r\n\r\n") == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nAuthorization: Bearer token-1\r\n\r\n"
    )


GONE = [
    b"Connection: keep-alive",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authorization: Basic eDp5",
    b"Proxy-Anything: 1",
    b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
    b"Upgrade: h2c",
    b"TE: gzip",
    b"Forwarded: for=1.2.3.4",
    b"X-Forwarded-For: 1.2.3.4",
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Anything: 1",
    b"X-Real-IP: 1.2.3.4",
    b"X-Token-Sidecar: 1",
    b"X-Token-Sidecar-Key: k",
    b"X-Token-Sidecar-Anything: k",
    b"Cookie: a=1",
    b"Authorization: Bearer mine",
    b"AUTHORIZATION: Bearer mine",
    # a CGI or WSGI program behind the upstream can't tell these from the ones above
    b"X_Forwarded_For: 1.2.3.4",
    b"X-Forwarded_For: 1.2.3.4",
    b"X_Real_IP: 1.2.3.4",
    b"Proxy_Authorization: Basic eDp5",
    b"X_Token_Sidecar_Key: k",
    b"Keep_Alive: timeout=5",
    b"HTTP2_Settings: AAAA",
    b"Transfer_Encoding: chunked",
    b"Content_Length: 3",
]


@pytest.mark.parametrize("line", GONE)
async def test_a_field_for_this_hop_or_about_it_goes_no_further(
    upstream: Origin, line: bytes
) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"X-Before: 1\r\n" + line + b"\r\nX-After: 2\r\n\r\n"
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\nX-Before: 1\r\nX-After: 2\r\n"
        b"Authorization: Bearer token-1\r\n\r\n"
    )


STAYS = [
    b"X-Authorization: mine",
    b"User-Agent: curl/8",
    b"Accept-Encoding: gzip",
    b"Via: 1.1 other",
    b"Max-Forwards: 3",
    b"Date: Sat, 21 Nov 2026 09:00:00 GMT",
    b"Referer: http://localhost/",
    b'If-None-Match: "x"',
    b"Range: bytes=0-1",
    b"X-Forward: 1",
    b"X_Custom: 1",
    b"Priority: u=1",
    b'Warning: 199 - "odd"',
    b"Pragma: no-cache",
    b"Content-Type: ",
    b"Sec-Fetch-Site: none",
]


@pytest.mark.parametrize("line", STAYS)
async def test_any_other_field_passes_as_it_is(upstream: Origin, line: bytes) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n"
    assert line + b"\r\n" in await forwarded(upstream, sent)


async def test_with_cookies_true_the_clients_cookies_pass(upstream: Origin) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: a=1; b=2\r\n\r\n"
    assert b"\r\nCookie: a=1; b=2\r\n" in await forwarded(upstream, sent, cookies=True)


@pytest.mark.parametrize("te", [b"trailers", b"gzip, Trailers", b"trailers;q=1, trailers"])
async def test_a_wish_for_trailers_is_sent_anew(upstream: Origin, te: bytes) -> None:
    sent = b"GET / HTTP/1.1\r\n" + HOST + b"TE: " + te + b"\r\nConnection: TE\r\n\r\n"
    assert await forwarded(upstream, sent) == (
        b"GET / HTTP/1.1\r\nHost: upstream.example\r\n"
        b"Connection: TE\r\nTE: trailers\r\nAuthorization: Bearer token-1\r\n\r\n"
    )


@pytest.mark.parametrize("method", [b"GET", b"PURGE", b"PROPFIND", b"M-SEARCH", b"get", b"!#$"])
async def test_any_method_that_is_a_token_passes(upstream: Origin, method: bytes) -> None:
    assert (await forwarded(upstream, method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")).startswith(
        method + b" / HTTP/1.1\r\n"
    )


@pytest.mark.parametrize(
    ("path", "upstream_path", "sent", "expected"),
    [
        ("/a/", "/v1/", b"/a", b"/v1/"),
        ("/a/", "/v1/", b"/%61/x", b"/v1/x"),
        ("/a/", "/v1/", b"/a/x//y;z=1", b"/v1/x//y;z=1"),
        ("/", "/", b"/anything?", b"/anything?"),
        ("/", "/", b"http://LOCALHOST/x?y", b"/x?y"),
        ("/", "/", b"http://localhost?y", b"/?y"),
    ],
)
async def test_the_target_is_mapped_and_nothing_in_it_rewritten(
    upstream: Origin, path: str, upstream_path: str, sent: bytes, expected: bytes
) -> None:
    request = b"GET " + sent + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    head = await forwarded(upstream, request, path=path, upstream_path=upstream_path)
    assert head.split(b" ")[1] == expected
