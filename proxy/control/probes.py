"""``/healthz`` and ``/readyz``: alive, and fit for traffic.

A provider that is down makes the sidecar unready at most, never unhealthy: restarting it
would not bring the provider back.
"""

from __future__ import annotations

from aiohttp import web

from proxy.control.snapshot import Read, Snapshot


def healthz(snapshot: Snapshot) -> web.Response:
    """The process runs, answers, and has what it takes to forward requests."""
    if snapshot.serving:
        return web.json_response({"status": "ok"})
    return web.json_response({"status": "no worker runs"}, status=503)


def readyz(snapshot: Snapshot) -> web.Response:
    """200 once every required credential has had a token, 503 before and while draining.

    A store that can't be used makes nobody unready by itself: live tokens are served. It is told.
    """
    store = {} if snapshot.store_fault is None else {"store": "unavailable"}
    if snapshot.ready:
        return web.json_response({"status": "ready", **store})
    if snapshot.draining:
        return web.json_response({"status": "draining"}, status=503)
    if not snapshot.serving:
        return web.json_response({"status": "no worker runs"}, status=503)
    return web.json_response(
        {"status": "waiting", "credentials": list(snapshot.waiting), **store}, status=503
    )


def probes(read: Read) -> list[web.RouteDef]:
    """The two routes."""

    async def health(_request: web.Request) -> web.Response:
        return healthz(read())

    async def ready(_request: web.Request) -> web.Response:
        return readyz(read())

    return [web.get("/healthz", health), web.get("/readyz", ready)]
