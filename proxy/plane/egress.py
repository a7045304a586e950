"""The way through an egress proxy: a tunnel by CONNECT (RFC 9110 section 9.3.6).

Upstreams over plain http are reached by CONNECT as well: what a proxy is sent in absolute-form
it may answer from a cache, rewrite and frame anew, and its credentials would stand among the
request's own fields. In a tunnel the upstream gets our bytes, and the proxy's credentials end
at the proxy.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from proxy.http1.head import ResponseHead, parse_response
from proxy.http1.refusal import MessageError
from proxy.plane.answers import Problem
from proxy.plane.faults import UpstreamError
from proxy.plane.settings import Proxy, Upstream

MOST_HEAD: Final = 16 << 10
MOST_FIELDS: Final = 100
MOST_INFORMATIONAL: Final = 8
READ: Final = 4096
_KINDS: Final = {
    407: (502, "proxy_configuration_error"),
    504: (504, "connection_timeout"),
}


async def tunnel(sock: socket.socket, upstream: Upstream, proxy: Proxy) -> None:
    """Have ``proxy``, at the other end of ``sock``, connect it with ``upstream``.

    Raises:
        UpstreamError: it refuses, or its answer is none.
        OSError: the connection broke.
    """
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, request(upstream, proxy))
    received = b""
    for _ in range(1 + MOST_INFORMATIONAL):
        raw, received = await _head(sock, received, proxy)
        head = _parsed(raw, proxy)
        if head.status >= 200:
            break
    else:
        raise _broken(proxy, "sent too many informational responses")
    if not 200 <= head.status < 300:
        raise _refused(head.status, upstream, proxy)
    if received:  # we have not said anything yet that the upstream could answer
        raise _broken(proxy, "sent bytes behind its answer")


def request(upstream: Upstream, proxy: Proxy) -> bytes:
    """The request for a tunnel."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    where = f"{host}:{upstream.port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"


async def _head(sock: socket.socket, received: bytes, proxy: Proxy) -> tuple[bytes, bytes]:
    """One head, and what came behind it."""
    loop = asyncio.get_running_loop()
    while (end := received.find(b"\r\n\r\n") + 4) < 4:
        if len(received) > MOST_HEAD:
            text = f"The head of the proxy {proxy}'s answer does not end."
            raise UpstreamError(Problem(502, "http_response_header_section_size", text))
        piece = await loop.sock_recv(sock, READ)
        if not piece:
            text = f"The proxy {proxy} closed the connection before it answered."
            raise UpstreamError(Problem(502, "connection_terminated", text))
        received += piece
    return received[:end], received[end:]


def _parsed(raw: bytes, proxy: Proxy) -> ResponseHead:
    try:
        return parse_response(raw, most_fields=MOST_FIELDS)
    except MessageError:
        raise _broken(proxy, "did not answer in HTTP/1.1") from None


def _broken(proxy: Proxy, what: str) -> UpstreamError:
    return UpstreamError(Problem(502, "http_protocol_error", f"The proxy {proxy} {what}."))


def _refused(status: int, upstream: Upstream, proxy: Proxy) -> UpstreamError:
    own, kind = _KINDS.get(status, (502, "destination_unavailable"))
    advice = "; give it a user and password in `proxy`" if status == 407 else ""
    text = f"The proxy {proxy} answered {status} for {upstream.authority}{advice}."
    return UpstreamError(Problem(own, kind, text))
