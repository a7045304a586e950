"""What the sidecar says in its own name: problem documents that nobody takes for the upstream's.

RFC 9457 for the body, RFC 9209 for Proxy-Status; never a 401, never a secret.
"""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.http1.refusal import MessageError

ALLOWED_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
NO_CONTENT: Final = f"HTTP/1.1 204 No Content\r\nAllow: {ALLOWED_METHODS}\r\n".encode()
"""The answer to ``OPTIONS *``, without what depends on the connection."""
REASONS: Final = {
    404: "no_route",
    405: "method",
    414: "target_too_long",
    421: "host",
    431: "head_too_large",
}
"""Which rule of ours a status tells of, where nothing more is said; another: how it is written."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer of our own.

    Attributes:
        error: an RFC 9209 section 2.3 error type.
        detail: one sentence for the person who reads it.
        retry_after: seconds, where waiting helps.
        close: whether the client's connection can't be used any further.
        reason: the rule or the limit of ours that the request broke, if it did.
    """

    status: int
    error: str
    detail: str
    retry_after: float | None = None
    close: bool = False
    reason: str = ""

    def encode(self, instance: str, *, close: bool, with_body: bool) -> bytes:
        """The whole response; to a HEAD it goes without its body."""
        title = HTTPStatus(self.status).phrase
        body = json.dumps(
            {
                "type": f"urn:token-sidecar:problem:{self.error.replace('_', '-')}",
                "title": title,
                "status": self.status,
                "detail": self.detail,
                "instance": instance,
            }
        ).encode()
        lines = [
            f"HTTP/1.1 {self.status} {title}",
            "Content-Type: application/problem+json",
            f"Content-Length: {len(body)}",
            f"Proxy-Status: token-sidecar; error={self.error}",
            "Cache-Control: no-store",
        ]
        if self.retry_after is not None:
            lines.append(f"Retry-After: {max(1, math.ceil(self.retry_after))}")
        if self.status == HTTPStatus.METHOD_NOT_ALLOWED:
            lines.append(f"Allow: {ALLOWED_METHODS}")
        if close:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        return head + body if with_body else head


def new_instance() -> str:
    """A name for one occurrence, to be found again in the log."""
    return f"urn:uuid:{uuid.uuid4()}"


def of_message(error: MessageError) -> Problem:
    """For a request that broke a rule or a limit; the connection's framing can't be trusted."""
    kinds = {403: "http_request_denied", 404: "destination_not_found", 421: "http_request_denied"}
    kind = kinds.get(error.status, "http_request_error")
    trusted = error.status in {403, 404, 405, 421}
    reason = error.reason or REASONS.get(error.status, "malformed")
    return Problem(error.status, kind, _sentence(error.detail), close=not trusted, reason=reason)


def of_credential(error: CredentialUnavailable) -> Problem:
    """For a request whose token is not there (503), or refused by the provider (502)."""
    status = 502 if isinstance(error, CredentialRefused) else 503
    kind = "proxy_configuration_error" if status == 502 else "proxy_internal_response"
    return Problem(status, kind, _sentence(str(error)), error.retry_after)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


TOO_MUCH: Final = Problem(
    503,
    "connection_limit_reached",
    "Too much is in flight here.",
    1,
    close=True,
    reason="in_flight",
)
TOO_MANY_CONNECTIONS: Final = Problem(
    503,
    "connection_limit_reached",
    "Too many connections are open here.",
    1,
    close=True,
    reason="connections",
)
SLOW_HEAD: Final = Problem(
    408,
    "http_request_error",
    "The request's head took too long to arrive.",
    close=True,
    reason="slow_head",
)
SLOW_BODY: Final = Problem(
    408,
    "http_request_error",
    "The request's body stopped arriving.",
    close=True,
    reason="slow_body",
)
BODY_TOO_LARGE: Final = Problem(
    413,
    "http_request_error",
    "The body is larger than this route's max_body.",
    close=True,
    reason="body_too_large",
)
FOREIGN_PEER: Final = Problem(
    403,
    "http_request_denied",
    "This user may not connect (see `peer_uids`).",
    close=True,
    reason="peer",
)
HEAD_TOO_LARGE: Final = Problem(
    431,
    "http_request_error",
    "The request's head is larger than limits.head.",
    close=True,
    reason="head_too_large",
)
BARE_LINE_END: Final = Problem(
    400,
    "http_request_error",
    "A bare CR or LF in the request's head.",
    close=True,
    reason="malformed",
)
NO_ANSWER_IN_TIME: Final = Problem(
    504, "http_response_timeout", "The upstream did not answer in time."
)
INCOMPLETE: Final = Problem(
    502, "http_response_incomplete", "The upstream broke off inside the body."
)
UNASKED_SWITCH: Final = Problem(
    502, "http_protocol_error", "The upstream switched protocols unasked."
)
INTERNAL: Final = Problem(
    500, "proxy_internal_error", "The sidecar failed; its log says more. This is a bug."
)
BROKE_OFF: Final = Problem(
    502, "connection_terminated", "The upstream closed the connection before it answered."
)
