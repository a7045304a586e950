"""The soak's tokens: signed, numbered, and telling to the millisecond until when they hold.

As a JWT (RFC 7519), whose ``exp`` is whole seconds, or disguised as an opaque value.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
from dataclasses import dataclass

LIFETIME = 4
"""Seconds."""
KEY = b"nothing but the soak believes in this key"
HEADER = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is, its number, and the wall time it ends at."""

    client: str
    number: int
    until: float


def mint(claims: Claims, *, opaque: bool) -> str:
    """The token."""
    ends = {"exp": math.ceil(claims.until), "until": claims.until}
    payload = {"azp": claims.client, "jti": claims.number} | ends
    signed = f"{_encode(HEADER)}.{_encode(payload)}"
    token = f"{signed}.{_signature(signed)}"
    return token.replace(".", "~") if opaque else token


def read(token: str) -> Claims | None:
    """What it says, or None: nobody issued it."""
    signed, _, signature = token.replace("~", ".").rpartition(".")
    if not hmac.compare_digest(signature, _signature(signed)):
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    except (ValueError, binascii.Error):
        return None
    return Claims(payload["azp"], payload["jti"], payload["until"])


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signature(signed: str) -> str:
    digest = hmac.digest(KEY, signed.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
