"""``/v1/status``: the snapshot as JSON, for programs and for people with curl.

Numbers are seconds and bytes; a moment is RFC 3339 in UTC.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from proxy.control.explaining import explained
from proxy.control.meanings import met
from proxy.control.snapshot import Read, Reloads, SecretStatus, Snapshot
from proxy.control.verdict import Verdict, level, verdict
from proxy.plane.totals import BOUNDS, RouteTotals
from proxy.tokens.status import CredentialStatus, LastError

UP_TO: Final = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")
"""What the buckets of durations are called: each holds what took longer than the one before."""
_TOLD: Final = (
    "state",
    "required",
    "ready",
    "generation",
    "field",
    "lifetime_seconds",
    "expires_in_seconds",
    "next_renewal_in_seconds",
    "token_requests",
    "renewals",
    "rejections",
)


def document(snapshot: Snapshot) -> dict[str, Any]:
    """What ``/v1/status`` says."""
    return {
        **process(snapshot),
        "credentials": {one.name: credential(one) for one in snapshot.credentials},
        "routes": {label: route(totals) for label, totals in snapshot.routes.items()},
    }


def process(snapshot: Snapshot) -> dict[str, Any]:
    """All but the credentials and the routes."""
    workers = {"workers": [dataclasses.asdict(one) for one in snapshot.workers]}
    return {
        "verdict": judged(verdict(snapshot)),
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
        **({} if snapshot.reloads is None else {"reloads": reloads(snapshot.reloads)}),
        "secrets": [secret(one) for one in snapshot.secrets],
        "error_meanings": met(snapshot.routes.values()),
    }


def reloads(found: Reloads) -> dict[str, Any]:
    """What became of the configuration file since the start."""
    said = dataclasses.asdict(found)
    return {**said, "last_success": _moment(found.last_success)}


def secret(found: SecretStatus) -> dict[str, Any]:
    """One place where a secret is kept."""
    said = dataclasses.asdict(found)
    return {**said, "changed_at": _moment(found.changed_at)}


def judged(found: Verdict) -> dict[str, Any]:
    """The sentence on top, and what is behind it."""
    said = dataclasses.asdict(found)
    for one in (said, *said["troubles"]):
        one["since"] = _moment(one["since"])
    return said


def credential(status: CredentialStatus) -> dict[str, Any]:
    """One credential: its state, what is held, what comes next, what went wrong."""
    said = {name: _rounded(getattr(status, name)) for name in _TOLD}
    if status.callers is not None:
        said["callers"] = status.callers
    return {
        "level": level(status),
        **said,
        "failures": dict(status.failures),
        "failing_since": _moment(status.failing_since),
        "last_error": None if status.last_error is None else _error(status.last_error),
    }


def _error(error: LastError) -> dict[str, Any]:
    told = explained(error)
    return {
        "reason": error.reason,
        "message": error.message,
        "seen": told.seen,
        "cause": told.cause,
        "meaning": told.meaning,
        "advice": told.advice,
        "at": moment(error.at_wall),
    }


def route(totals: RouteTotals) -> dict[str, Any]:
    """One route: totals since the start; ``latency``: how many took at most so many seconds."""
    return {
        "requests": {str(status): count for status, count in sorted(totals.requests.items())},
        "in_flight": totals.in_flight,
        "seconds": round(totals.seconds, 6),
        "latency": {upto: n for upto, n in zip(UP_TO, totals.buckets, strict=True) if n},
        "bytes_in": totals.bytes_in,
        "bytes_out": totals.bytes_out,
        "replays": totals.replays,
        "errors": dict(totals.errors),
    }


def moment(wall: float) -> str:
    """Seconds since the epoch as RFC 3339."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def _moment(wall: float | None) -> str | None:
    return None if wall is None else moment(wall)


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


_indented = functools.partial(json.dumps, indent=2)


def status(read: Read) -> list[web.RouteDef]:
    """The route."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(document(read()), dumps=_indented)

    return [web.get("/v1/status", show)]
