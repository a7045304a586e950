"""Looks into a JWT without believing it: RFC 7519 claims, to learn when the token ends.

No signature is checked here and nothing is trusted for it: the token goes to who checks it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any


def claims(token: str) -> Mapping[str, Any] | None:
    """The claims of a signed JWT (RFC 7519 section 7.2), or None if ``token`` is none.

    An encrypted one (five parts) is as opaque as any other string.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header, payload = _segment(parts[0]), _segment(parts[1])
    return payload if header is not None and "alg" in header else None


def _segment(text: str) -> Mapping[str, Any] | None:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
