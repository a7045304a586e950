"""How the rules of HTTP/1.1 say no: a status, a word for the log, a sentence for the sender."""

from __future__ import annotations

from proxy.errors import SidecarError


class MessageError(SidecarError):
    """A message that breaks the rules, or one of our limits; nothing of it is forwarded.

    Attributes:
        status: the answer a client gets for it (RFC 9110 section 15.5).
        reason: a short stable label; empty where the status says enough.
    """

    def __init__(self, detail: str, status: int = 400, reason: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.reason = reason
