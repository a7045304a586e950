"""Requests that pass, but not with everything in them: what a client can't make go upstream.

Each is sent several times on one connection between sound ones, so that the head caches are
warm and hold heads that differ by one line.
"""

from __future__ import annotations

import base64

import pytest

from proxy.secret import Secret
from tests.support.plane import route_to, serving
from tests.support.wire import OK, Origin

KEY = b"X-Token-Sidecar-Key: n0te"
BASIC = b"Basic " + base64.b64encode(b"any:n0te")
ROUTES = {
    b"/bearer/": {},
    b"/header/": {"header": "X-Api-Key", "scheme": ""},
    b"/underscore/": {"header": "api_key", "scheme": ""},
    b"/cookies/": {"header": "X-Api-Key", "scheme": "", "cookies": True},
    b"/none/": {"credential": None},
}
INJECTED = {
    b"/bearer/": b"Authorization: Bearer token-1",
    b"/header/": b"X-Api-Key: token-1",
    b"/underscore/": b"api_key: token-1",
    b"/cookies/": b"X-Api-Key: token-1",
}
EVERYWHERE = {
    "nominates the credential": b"Connection: authorization, x-api-key, api-key",
    "nominates the framing and the host": b"Connection: host, content-length, transfer-encoding",
    "nominates itself": b"Connection: connection",
    "nominates with tabs and case": b"Connection:\ta ,\tX-Named\r\nX-Named: 1\r\nx_named: 2",
    "nominates twice": b"Connection: a\r\nConnection: x-named\r\nX-Named: 1",
    "a key of ours": b"X-Token-Sidecar-Key: other",
    "look-alikes of our key": b"X_Token_Sidecar_Key: other\r\nX-Token_Sidecar: 1",
    "a bearer key": b"Authorization: Bearer n0te",
    "a key in small letters": b"authorization: bearer   n0te",
    "a key as a password": b"Authorization: " + BASIC,
    "a key twice": b"Authorization: Bearer n0te\r\nAuthorization: " + BASIC,
    "a key among others": b"Authorization: Basic eDp5\r\nAuthorization: Bearer n0te",
    "who it pretends to be": b"X-Forwarded-For: 1.2.3.4\r\nForwarded: for=a\r\nX-Real-IP: 1.2.3.4",
    "look-alikes of that": b"X_Forwarded_For: 1.2.3.4\r\nX-Forwarded_Host: a\r\nx_real_ip: 1.2.3.4",
    "proxy fields": b"Proxy-Authorization: Basic eDp5\r\nProxy_Connection: close\r\nKeep-Alive: 9",
    "another protocol": b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    "another length": b"Content_Length: 3\r\nTransfer_Encoding: chunked",
}
WITH_A_CREDENTIAL = {
    "somebody's Authorization": b"Authorization: Bearer mine",
    "several of them": b"Authorization: Bearer mine\r\nAUTHORIZATION: Basic eDp5\r\nAuthorization:",
    "one without a scheme": b"Authorization: definitely_an_access_token",
    "the injected fields": b"X-Api-Key: mine\r\nApi_Key: mine\r\nAPI-KEY: mine",
    "their look-alikes": b"X_Api_Key: mine\r\nx-api_key: mine\r\napi_key: mine",
}


def asked(path: bytes, line: bytes = b"") -> bytes:
    """A request with a client key and perhaps this line."""
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: localhost", line, KEY, b"X-Last: 1"]
    return b"\r\n".join(filter(None, lines)) + b"\r\n\r\n"


def plain(line: bytes) -> bytes:
    """A field's name as programs read it that can't tell ``_`` from ``-``."""
    return line.partition(b":")[0].lower().replace(b"_", b"-")


def left_of(line: bytes, path: bytes) -> list[bytes]:
    """The fields that only look as if: where nothing is injected under their name, they pass."""
    elsewhere = {b"x-api-key", b"api-key"} - {plain(INJECTED.get(path, b""))}
    return [one for one in line.split(b"\r\n") if plain(one) in elsewhere]


CASES = [(path, line) for path in ROUTES for line in EVERYWHERE.values()]
CASES += [(path, line) for path in INJECTED for line in WITH_A_CREDENTIAL.values()]


@pytest.mark.parametrize(("path", "line"), CASES)
async def test_what_may_not_go_up_does_not_whatever_went_before(
    upstream: Origin, path: bytes, line: bytes
) -> None:
    routes = [route_to(upstream.port, p.decode(), **options) for p, options in ROUTES.items()]
    expected = [b"Host: upstream.example", *left_of(line, path), b"X-Last: 1"]
    credential = [INJECTED[path]] if path in INJECTED else []
    async with serving(*routes, clients={"notebook": Secret("n0te")}) as served:
        client, wire = await served.connect(), None
        for sent in (b"", line, line, b"", line):
            client.send(asked(path, sent))
            wire = wire or await upstream.accept()
            head = await wire.head()
            fields = expected if sent else [b"Host: upstream.example", b"X-Last: 1"]
            assert list(head.lines) == fields + credential
            wire.send(OK)
            assert (await client.response()).body == b"ok"
