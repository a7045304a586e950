"""How the answers to an SDK's login look: JSON, a refusal that OAuth clients read, a small page."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any, Final

from proxy.plane.local import Told

JSON: Final = "application/json"
PAGE: Final = "text/html; charset=utf-8"
FRAMED_BY_NOBODY: Final = (("Content-Security-Policy", "default-src 'none'; form-action 'self'"),)


def told(value: Mapping[str, Any], *, status: int = 200, client: str | None = None) -> Told:
    """A JSON object."""
    return Told(status, JSON, json.dumps(value).encode(), client=client)


def refusal(error: str, description: str, *, status: int = 400) -> Told:
    """An error as RFC 6749 section 5.2 has it. Never a 401, which would be the upstream's."""
    denied = (("Proxy-Status", "token-sidecar; error=http_request_denied"),)
    body = {"error": error, "error_description": description}
    return Told(status, JSON, json.dumps(body).encode(), denied)


def page(title: str, content: str, *, fields: tuple[tuple[str, str], ...] = ()) -> Told:
    """A page; ``content`` is HTML."""
    text = (
        f"<!doctype html><html lang=en><title>{html.escape(title)}</title>"
        f"<h1>{html.escape(title)}</h1>{content}"
    )
    return Told(200, PAGE, text.encode(), FRAMED_BY_NOBODY + fields)
