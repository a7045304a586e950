"""Looks into a JWT without believing it: RFC 7519 claims, to learn when the token ends.

No signature is checked here and nothing is trusted for it: the token goes to who checks it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

FURTHEST: Final = 1 << 53


def claims(token: str) -> Mapping[str, Any] | None:
    """The claims of a signed JWT (RFC 7519 section 7.2), or None if ``token`` is none.

    An encrypted one (five parts) is as opaque as any other string.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header, payload = _segment(parts[0]), _segment(parts[1])
    return payload if header is not None and "alg" in header else None


def expiry(claims: Mapping[str, Any] | None) -> float | None:
    """``exp`` (section 4.1.4) in seconds since the epoch, or None without a usable one."""
    exp = (claims or {}).get("exp")
    if isinstance(exp, bool) or not isinstance(exp, int | float):
        return None
    # No calendar goes further, and an int without bounds would not even convert.
    return float(exp) if 0 < exp < FURTHEST else None


def header(token: str) -> Mapping[str, Any] | None:
    """The JOSE header of a signed JWT (RFC 7515 section 4), or None if ``token`` is none."""
    return _segment(token.partition(".")[0]) if claims(token) is not None else None


def decoded(text: str) -> bytes | None:
    """What base64url without padding (RFC 7515 section 2) stands for, or None if it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def _segment(text: str) -> Mapping[str, Any] | None:
    raw = decoded(text)
    try:
        value = None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
