"""``/``: the status page, one document that loads nothing and shows what ``/v1/events`` tells.

Put together from the files in ``web`` when it is first asked for. Its policy names the hashes of
its own style and script, so that nothing else can ever run in it. Whoever has scripts switched off
gets plain tables, made here.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

from proxy.control.snapshot import Read

PARTS: Final = Path(__file__).with_name("web")
SCRIPTS: Final = ("words", "model", "draw", "charts", "credentials", "routes", "page", "stream")
"""In the order in which they stand in the document."""


def status_page(read: Read) -> list[web.RouteDef]:
    """The route."""

    async def show(_request: web.Request) -> web.Response:
        from proxy.control.plain import tables  # noqa: PLC0415 - few sidecars are looked at

        before, after, fields = shell()
        text = before + tables(read()) + after
        return web.Response(text=text, content_type="text/html", headers=fields)

    return [web.get("/", show)]


@functools.cache
def shell() -> tuple[str, str, dict[str, str]]:
    """What stands before and after the plain tables, and the fields of the answer."""
    style = (PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((PARTS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    page = (PARTS / "page.html").read_text(encoding="utf-8")
    page = page.replace("/* style */", style).replace("/* script */", script)
    before, _, after = page.partition("<!-- plain -->")
    return before, after, _fields(style, script)


def _fields(style: str, script: str) -> dict[str, str]:
    policy = (
        "default-src 'none'",
        f"script-src '{_hash(script)}'",
        f"style-src '{_hash(style)}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
