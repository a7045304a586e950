"""``/metrics``: hands the snapshot to Prometheus' encoder.

That library is imported by the first scrape: a sidecar nobody scrapes starts faster and stays
smaller without it.
"""

from __future__ import annotations

from aiohttp import web

from proxy.control.snapshot import Read


def scrape(read: Read) -> list[web.RouteDef]:
    """The route."""

    async def metrics(request: web.Request) -> web.Response:
        from proxy.control.metrics import exposition  # noqa: PLC0415 - see above

        page, content_type = exposition(read(), request.headers.get("Accept", ""))
        return web.Response(body=page, headers={"Content-Type": content_type})

    return [web.get("/metrics", metrics)]
