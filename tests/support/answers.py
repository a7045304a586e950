"""Answers of a token endpoint as values, and JWTs that nobody signed."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from proxy.clock import Moment
from proxy.message import Answer

SENT = Moment(monotonic=100.0, wall=1_700_000_000.0)
TOOK = 0.25


def answer(
    body: object = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    took: float = TOOK,
    **fields: Any,
) -> Answer:
    """An answer to a request sent at ``SENT``; a token response with ``fields`` by default."""
    if body is None:
        body = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300} | fields
        body = {name: value for name, value in body.items() if value is not None}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, raw, SENT, SENT.later(took))


def unsigned(**claims: Any) -> str:
    """A JWT with these claims and a signature that is none."""
    return f"{_segment({'alg': 'RS256'})}.{_segment(claims)}.c2lnbmF0dXJl"


def _segment(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
