"""Brings the totals up to the moment before they are shown; probes never wait for that."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from proxy.control.snapshot import Count

PROBES: Final = frozenset({"/healthz", "/readyz"})


def counting(count: Count) -> Middleware:
    """A middleware that has everything counted first."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PROBES:
            await count()
        return await handler(request)

    return middleware
