"""What the client is told when an upstream can't be had: what happened, at which of the hops.

Error types are those of RFC 9209 section 2.3. No I/O, no secret.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from proxy.errors import SidecarError
from proxy.plane.answers import Problem

NO_DESCRIPTORS: Final = frozenset({errno.EMFILE, errno.ENFILE})


class UpstreamError(SidecarError):
    """The upstream can't be had; ``problem`` is what the client is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@contextmanager
def explained(where: str, host: str, longest: float) -> Iterator[None]:
    """Raise what goes wrong inside as an ``UpstreamError`` about ``where``.

    Args:
        where: what is being reached, as a sentence can go on about it.
        host: the name that is looked up for it.
        longest: seconds that a ``TimeoutError`` inside has taken.
    """
    try:
        yield
    except TimeoutError:
        text = f"Connecting to {where} took longer than {longest:g} s."
        raise UpstreamError(Problem(504, "connection_timeout", text)) from None
    except OSError as error:  # ssl.SSLError is one
        raise UpstreamError(_explain(error, where, host)) from None


def _explain(error: OSError, where: str, host: str) -> Problem:
    if isinstance(error, ssl.SSLCertVerificationError):
        told = error.verify_message.rstrip(".")
        text = f"The certificate of {where} is not trusted: {told}; see tls.ca_file."
        return Problem(502, "tls_certificate_error", text)
    if isinstance(error, ssl.SSLError):
        return of_tls(error, where)
    if isinstance(error, socket.gaierror):
        return Problem(502, "dns_error", f"The name {host} can't be resolved.")
    if isinstance(error, ConnectionRefusedError):
        return Problem(502, "connection_refused", f"{_capital(where)} refuses connections.")
    if error.errno in NO_DESCRIPTORS:
        text = "No file descriptor is left here for a connection to the upstream (see ulimit -n)."
        return Problem(503, "connection_limit_reached", text, 1)
    # aiohappyeyeballs words its own text where several addresses failed, each with its address
    reason = os.strerror(error.errno).lower() if error.errno else "network error"
    text = f"{_capital(where)} can't be reached ({reason})."
    return Problem(502, "destination_unavailable", text)


def of_tls(error: ssl.SSLError, where: str) -> Problem:
    """For TLS that failed, at the handshake or later."""
    reason = error.reason or "protocol error"
    kind = "tls_alert_received" if "ALERT" in reason else "tls_protocol_error"
    return Problem(502, kind, f"TLS with {where} failed ({reason}).")


def _capital(text: str) -> str:
    return "T" + text[1:] if text.startswith("the ") else text
