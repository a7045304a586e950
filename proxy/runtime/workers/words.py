"""Leases, terms, failures and totals as JSON can say them, and back.

Reading checks: what does not fit raises one of ``channel.NONSENSE``. Tokens pass here between
processes of one program; nothing here is ever logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from proxy.clock import Moment
from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.plane.totals import BOUNDS, WAIT_BOUNDS, RouteTotals
from proxy.tokens.lease import Lease
from proxy.tokens.policy import Schedule
from proxy.tokens.session import Session
from proxy.tokens.terms import Terms


def of_lease(lease: Lease | None) -> list[Any] | None:
    """A lease in words."""
    if lease is None:
        return None
    session = None if lease.session is None else _of_session(lease.session)
    return [lease.generation, lease.value.decode("ascii"), lease.field, session]


def lease(said: Any) -> Lease | None:
    """A lease from words."""
    if said is None:
        return None
    generation, value, field, session = said
    began = None if session is None else _session(session)
    return Lease(int(generation), value.encode("ascii"), field, began)


def _of_session(session: Session) -> list[list[str]]:
    return [sorted(session.cookies), sorted(session.entrances)]


def _session(said: Any) -> Session:
    cookies, entrances = said
    return Session(frozenset(cookies), frozenset(entrances))


def of_terms(terms: Terms) -> dict[str, Any]:
    """Terms in words; infinity is told as JavaScript's ``Infinity``, which Python's JSON reads."""
    moments = terms.moments
    told = (moments.soft, moments.hard, moments.last, moments.final)
    return {
        "lease": of_lease(terms.lease),
        "moments": [[moment.monotonic, moment.wall] for moment in told],
        "trying": terms.trying,
    }


def terms(said: Mapping[str, Any]) -> Terms:
    """Terms from words."""
    soft, hard, last, final = (Moment(float(a), float(b)) for a, b in said["moments"])
    return Terms(lease(said["lease"]), Schedule(soft, hard, last, final), bool(said["trying"]))


def of_failure(error: CredentialUnavailable) -> dict[str, Any]:
    """Why there is no lease, in words."""
    refused = isinstance(error, CredentialRefused)
    return {
        "message": str(error),
        "credential": error.credential,
        "retry_after": error.retry_after,
        "refused": refused,
        "error": error.error if isinstance(error, CredentialRefused) else None,
    }


def failure(said: Mapping[str, Any]) -> CredentialUnavailable:
    """The exception from words."""
    message, name, retry_after = said["message"], said["credential"], said["retry_after"]
    if said["refused"]:
        return CredentialRefused(
            message, credential=name, retry_after=retry_after, error=said["error"]
        )
    return CredentialUnavailable(message, credential=name, retry_after=retry_after)


def of_totals(totals: RouteTotals) -> dict[str, Any]:
    """A route's totals in words."""
    return {
        "requests": {str(status): count for status, count in totals.requests.items()},
        "buckets": totals.buckets,
        "seconds": totals.seconds,
        "bytes_in": totals.bytes_in,
        "bytes_out": totals.bytes_out,
        "in_flight": totals.in_flight,
        "replays": totals.replays,
        "errors": totals.errors,
        "refusals": totals.refusals,
        "waiting": totals.waiting,
        "wait_buckets": totals.wait_buckets,
        "wait_seconds": totals.wait_seconds,
    }


def totals(said: Mapping[str, Any]) -> RouteTotals:
    """A route's totals from words."""
    heard = RouteTotals()
    heard.requests = {int(status): int(count) for status, count in said["requests"].items()}
    heard.buckets = _buckets(said["buckets"], len(BOUNDS))
    heard.seconds = float(said["seconds"])
    heard.bytes_in = int(said["bytes_in"])
    heard.bytes_out = int(said["bytes_out"])
    heard.in_flight = int(said["in_flight"])
    heard.replays = int(said["replays"])
    heard.errors = {str(kind): int(count) for kind, count in said["errors"].items()}
    heard.refusals = {str(reason): int(count) for reason, count in said["refusals"].items()}
    heard.waiting = int(said["waiting"])
    heard.wait_buckets = _buckets(said["wait_buckets"], len(WAIT_BOUNDS))
    heard.wait_seconds = float(said["wait_seconds"])
    return heard


def _buckets(said: Iterable[Any], bounds: int) -> list[int]:
    counts = [int(count) for count in said]
    if len(counts) != bounds + 1:
        raise ValueError("another number of buckets")
    return counts
