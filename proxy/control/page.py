"""A small page for the person whose browser comes back from a login; it loads and runs nothing."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from typing import Final

from aiohttp import web

_STYLE: Final = (
    ":root{color-scheme:light dark;font:17px/1.5 system-ui,sans-serif}"
    "body{max-width:32rem;margin:18vh auto;padding:0 1.5rem}"
    "h1{font-size:1.4rem;line-height:1.3}"
    "footer{margin-top:2.5rem;font-size:.8rem;opacity:.6}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_FIELDS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The page's own address holds the code: no link and no picture may carry it on.
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A heading and a paragraph, both plain text."""

    title: str
    text: str


def page(status: int, content: Page) -> web.Response:
    """The page as an answer."""
    title, text = html.escape(content.title), html.escape(content.text)
    document = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{text}</p><footer>token-sidecar</footer></html>\n"
    )
    return web.Response(status=status, text=document, content_type="text/html", headers=_FIELDS)
