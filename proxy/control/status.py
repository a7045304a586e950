"""``/v1/status``: the snapshot as JSON, for programs and for people with curl.

Numbers are seconds and bytes; a moment is RFC 3339 in UTC.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from proxy.control.snapshot import Read, Snapshot
from proxy.plane.totals import RouteTotals
from proxy.tokens.status import CredentialStatus


def document(snapshot: Snapshot) -> dict[str, Any]:
    """What ``/v1/status`` says."""
    workers = {"workers": [dataclasses.asdict(one) for one in snapshot.workers]}
    return {
        "version": snapshot.version,
        "config": snapshot.config,
        "started": moment(snapshot.started),
        "ready": snapshot.ready,
        "draining": snapshot.draining,
        "store": snapshot.store_fault or "ok",
        "in_flight": snapshot.in_flight,
        "connections": snapshot.connections,
        **(workers if snapshot.workers else {}),
        "warnings": list(snapshot.warnings),
        "credentials": {one.name: credential(one) for one in snapshot.credentials},
        "routes": {label: route(totals) for label, totals in snapshot.routes.items()},
    }


def credential(status: CredentialStatus) -> dict[str, Any]:
    """One credential: its state, what is held, what comes next, what went wrong."""
    said = {name: _rounded(value) for name, value in dataclasses.asdict(status).items()}
    del said["name"], said["store_fault"]
    if status.callers is None:
        del said["callers"]
    if status.last_error is not None:
        said["last_error"]["at"] = moment(said["last_error"].pop("at_wall"))
    return said


def route(totals: RouteTotals) -> dict[str, Any]:
    """One route: totals since the start."""
    return {
        "requests": {str(status): count for status, count in sorted(totals.requests.items())},
        "in_flight": totals.in_flight,
        "seconds": round(totals.seconds, 6),
        "bytes_in": totals.bytes_in,
        "bytes_out": totals.bytes_out,
        "replays": totals.replays,
        "errors": dict(totals.errors),
    }


def moment(wall: float) -> str:
    """Seconds since the epoch as RFC 3339."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


_indented = functools.partial(json.dumps, indent=2)


def status(read: Read) -> list[web.RouteDef]:
    """The route."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(document(read()), dumps=_indented)

    return [web.get("/v1/status", show)]
