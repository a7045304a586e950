"""Totals of several processes as those of one; what a dead one counted is not lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from proxy.plane.totals import RouteTotals

Totals = Mapping[str, RouteTotals]


def added(parts: Iterable[Totals]) -> dict[str, RouteTotals]:
    """The sum, route by route."""
    whole: dict[str, RouteTotals] = {}
    for part in parts:
        for label, totals in part.items():
            add(whole.setdefault(label, RouteTotals()), totals)
    return whole


def add(to: RouteTotals, totals: RouteTotals) -> None:
    """Add ``totals`` to ``to``."""
    for status, count in totals.requests.items():
        to.requests[status] = to.requests.get(status, 0) + count
    for kind, count in totals.errors.items():
        to.errors[kind] = to.errors.get(kind, 0) + count
    to.buckets = [sum(pair) for pair in zip(to.buckets, totals.buckets, strict=True)]
    to.seconds += totals.seconds
    to.bytes_in += totals.bytes_in
    to.bytes_out += totals.bytes_out
    to.in_flight += totals.in_flight
    to.replays += totals.replays
    for reason, count in totals.refusals.items():
        to.refusals[reason] = to.refusals.get(reason, 0) + count
    to.waiting += totals.waiting
    pairs = zip(to.wait_buckets, totals.wait_buckets, strict=True)
    to.wait_buckets = [sum(pair) for pair in pairs]
    to.wait_seconds += totals.wait_seconds


def ended(totals: Totals) -> dict[str, RouteTotals]:
    """What stays of a process that is gone: nothing is in flight there any more."""
    kept = added([totals])
    for one in kept.values():
        one.in_flight = one.waiting = 0
    return kept


def answered(totals: Totals) -> int:
    """How many requests these are."""
    return sum(sum(one.buckets) for one in totals.values())
