"""The way to a server, step by step: which proxy, which addresses, TCP, TLS.

Works with blocking sockets of its own, so that each step can be told apart; run it in a thread.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from proxy.config.model import Egress, Tls
from proxy.doctor import certificate
from proxy.doctor.finding import Finding, Kind, bad, good
from proxy.idp.hints import NAME_UNKNOWN, NO_ANSWER, PORT_CLOSED
from proxy.message import origin
from proxy.net.egress import proxy_for

PATIENCE: Final = 5.0
"""Seconds for each connection."""
_PORTS: Final = {"http": 80, "https": 443}
_VARIABLES: Final = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
)


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is reached.

    Attributes:
        subject: in the findings.
        whom: what the server is, e.g. ``provider``.
        url: http or https.
        context: whom to trust, for https.
    """

    subject: str
    whom: str
    url: str
    tls: Tls
    egress: Egress
    context: ssl.SSLContext | None


def walk(way: Way, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The steps until one goes badly; through a proxy only as far as the proxy."""
    proxy = proxy_for(way.url, way.egress, environ)
    yield _proxy(way, proxy, environ)
    parts = urlsplit(proxy or way.url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)
    found = _resolve(way, host, port)
    yield found
    if found.kind is not None:
        return
    reached = _connect(way, host, port)
    yield reached
    if reached.kind is None and proxy is None and parts.scheme == "https":
        yield _secure(way, host, port)


def _proxy(way: Way, proxy: str | None, environ: Mapping[str, str]) -> Finding:
    named = [name for name in _VARIABLES if environ.get(name)]
    said = f" ({', '.join(named)} set)" if named and way.egress.from_environment else ""
    if proxy is None:
        return good(way.subject, f"{way.whom} proxy", f"none: directly{said}")
    by = said if way.egress.from_environment else " (configured)"
    return good(way.subject, f"{way.whom} proxy", f"through {origin(proxy)}{by}")


def _resolve(way: Way, host: str, port: int) -> Finding:
    step = f"{way.whom} name"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        return bad(
            way.subject,
            step,
            Kind.UNREACHABLE,
            "name_unknown",
            f"{host} has no address: {(why or 'it is no name').lower()}",
            NAME_UNKNOWN,
        )
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    families = sorted({"IPv6" if ":" in one else "IPv4" for one in addresses})
    shown = ", ".join(addresses[:4])
    return good(way.subject, step, f"{host} is {shown} ({' and '.join(families)})")


def _connect(way: Way, host: str, port: int) -> Finding:
    step = f"{way.whom} TCP"
    try:
        with socket.create_connection((host, port), PATIENCE):
            return good(way.subject, step, f"port {port} accepts connections")
    except TimeoutError:
        cause, why = "no_answer", f"does not answer within {PATIENCE:g} s"
        advice = NO_ANSWER
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        cause = "port_closed" if refused else "unreachable"
        why = os.strerror(error.errno).lower() if error.errno else "can't be reached"
        advice = PORT_CLOSED
    return bad(way.subject, step, Kind.UNREACHABLE, cause, f"{host}:{port} {why}", advice)


def _secure(way: Way, host: str, port: int) -> Finding:
    """The handshake as the sidecar makes it."""
    step = f"{way.whom} TLS"
    context = way.context or ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            version, shown = connection.version(), connection.getpeercert(binary_form=True)
            _listen(connection, host)
    except ssl.SSLCertVerificationError as error:
        told = certificate.explain(error, host, port, way.tls)
        return bad(way.subject, step, Kind.UNREACHABLE, told.cause, told.told, told.advice)
    except (ssl.SSLError, OSError) as error:
        cause, why, advice = _broken(error, way.tls)
        return bad(way.subject, step, Kind.UNREACHABLE, cause, f"{host}:{port}: {why}", advice)
    trust = "" if way.tls.verify else ", not verified (verify: false)"
    return good(way.subject, step, f"{version}{certificate.until(shown)}{trust}")


def _listen(connection: ssl.SSLSocket, host: str) -> None:
    """Have the server say something: in TLS 1.3 it misses a certificate after the handshake.

    Raises:
        OSError: it does not go on.
    """
    connection.sendall(f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    with contextlib.suppress(TimeoutError):
        if not connection.recv(1):
            raise ConnectionResetError


def _broken(error: Exception, tls: Tls) -> tuple[str, str, str]:
    reason = (getattr(error, "reason", None) or "").upper()
    ended = isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if ended and tls.cert_file is None:
        return (
            "client_certificate",
            "the server ends the connection after the handshake without a word, as those do that"
            " want a certificate of ours",
            "ask whether it wants one; then set tls.cert_file and tls.key_file",
        )
    asked = any(word in reason for word in ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE"))
    if asked or (reason.endswith("HANDSHAKE_FAILURE") and tls.cert_file is None):
        shown = "takes not the one we show" if tls.cert_file else "and we show none"
        return (
            "client_certificate",
            f"the server wants a certificate of ours {shown}",
            "set tls.cert_file and tls.key_file to one that it knows",
        )
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return (
            "old_tls",
            "the server speaks no TLS version from 1.2 on",
            "have the server allow TLS 1.2 or 1.3",
        )
    if "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason or "RECORD_LAYER" in reason:
        return (
            "no_tls",
            "the server does not speak TLS on this port",
            "use its TLS port, or http:// if it really has none (see allow_insecure)",
        )
    words = reason.replace("_", " ").lower() or type(error).__name__
    return "tls", f"no TLS: {words}", "check that the port speaks TLS and what stands between"
