"""Counts who waits for a token, and how long; what is waited for is the caller's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from proxy.plane.totals import RouteTotals


@dataclass(slots=True)
class Wait:
    """One wait; ``seconds`` is known when it is over."""

    seconds: float = 0.0


@contextmanager
def waiting(totals: RouteTotals, now: Callable[[], float]) -> Iterator[Wait]:
    """Count the block as a wait for a token, however it ends."""
    begun, wait = now(), Wait()
    totals.waiting += 1
    try:
        yield wait
    finally:
        wait.seconds = now() - begun
        totals.waiting -= 1
        totals.waited(wait.seconds)
