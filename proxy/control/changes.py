"""What is new since the last look, as server-sent events: the status whole, then its changes.

Entries are those of ``/v1/status``. What only counts down as everybody can work out is no change:
an idle sidecar with hundreds of credentials and routes says next to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from proxy.clock import Clock
from proxy.control.snapshot import Snapshot
from proxy.control.status import credential, document, moment, process, route
from proxy.plane.totals import RouteTotals
from proxy.tokens.status import CredentialStatus

APART: Final = 0.5
"""Seconds by which a countdown may differ from what was to be expected."""

Stamp = tuple[Any, ...]


class Changes:
    """Remembers the last look; it serves everybody who is told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: Look | None = None
        self._whole: bytes | None = None

    def begin(self, snapshot: Snapshot) -> None:
        """Look for the first time, or the first time again."""
        self._whole = None
        self._last = look(snapshot, self._clock)

    def whole(self) -> bytes:
        """The event ``whole``: everything, as it was at the last look."""
        if self._last is None:
            raise ValueError("nobody has looked yet")
        if self._whole is None:
            last = self._last
            self._whole = event("whole", {"at": last.at, **document(last.snapshot)})
        return self._whole

    def next(self, snapshot: Snapshot) -> bytes:
        """Look again: the event ``change``, what is not as it was, and names that are gone."""
        before = self._last
        self.begin(snapshot)
        now = self._last
        if before is None or now is None:
            raise ValueError("nobody has looked yet")
        return event("change", _difference(before, now))


@dataclass(frozen=True, slots=True)
class Look:
    """One snapshot with what tells it from others.

    Attributes:
        at: when, RFC 3339.
        process: all but credentials and routes, as it is told.
    """

    snapshot: Snapshot
    at: str
    process: Mapping[str, Any]
    credentials: Mapping[str, Stamp]
    routes: Mapping[str, Stamp]


def look(snapshot: Snapshot, clock: Clock) -> Look:
    """Look at it now."""
    now = clock.now()
    return Look(
        snapshot,
        moment(now.wall),
        process(snapshot),
        {one.name: _credential(one, now.monotonic) for one in snapshot.credentials},
        {label: _route(totals) for label, totals in snapshot.routes.items()},
    )


def _difference(before: Look, now: Look) -> dict[str, Any]:
    return {
        "at": now.at,
        **{key: said for key, said in now.process.items() if said != before.process.get(key)},
        "credentials": {
            one.name: credential(one)
            for one in now.snapshot.credentials
            if not _alike(now.credentials[one.name], before.credentials.get(one.name))
        },
        "routes": {
            label: route(totals)
            for label, totals in now.snapshot.routes.items()
            if now.routes[label] != before.routes.get(label)
        },
        "gone": {
            "process": _gone(before.process, now.process),
            "credentials": _gone(before.credentials, now.credentials),
            "routes": _gone(before.routes, now.routes),
        },
    }


def event(name: str, content: Mapping[str, Any]) -> bytes:
    """One server-sent event (HTML Living Standard, section 9.2); JSON has no bare line end."""
    return f"event: {name}\ndata: {json.dumps(content, separators=(',', ':'))}\n\n".encode()


_COUNTING_DOWN: Final = ("expires_in_seconds", "next_renewal_in_seconds")
_CREDENTIAL: Final = attrgetter(
    *(name for name in CredentialStatus.__slots__ if name not in _COUNTING_DOWN)
)
_ROUTE: Final = attrgetter("in_flight", "seconds", "bytes_in", "bytes_out", "replays")


def _credential(status: CredentialStatus, now: float) -> Stamp:
    """Equal, but for the two moments behind, where nothing happened."""
    ends, next_try = status.expires_in_seconds, status.next_renewal_in_seconds
    return (
        _CREDENTIAL(status),
        None if not ends else now + ends,
        None if next_try is None else now + next_try,
    )


def _alike(stamp: Stamp, before: Stamp | None) -> bool:
    if before is None or stamp[0] != before[0]:
        return False
    return all(_near(new, old) for new, old in zip(stamp[1:], before[1:], strict=True))


def _near(new: float | None, old: float | None) -> bool:
    if new is None or old is None:
        return new is old
    return abs(new - old) < APART


def _route(totals: RouteTotals) -> Stamp:
    """Totals are added to where they are: only a copy of the numbers can be compared later."""
    return (sum(totals.buckets), sum(totals.errors.values()), *_ROUTE(totals))


def _gone(before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return [name for name in before if name not in now]
