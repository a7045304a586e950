"""How many of the moments that were written down fell into a time, and how close together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def between(moments: Sequence[float], begin: float, end: float = float("inf")) -> int:
    """How many from ``begin`` to before ``end``; ``moments`` are in order."""
    return bisect_left(moments, end) - bisect_left(moments, begin)


def peak(moments: Sequence[float], begin: float = 0.0, within: float = 1.0) -> int:
    """The most within any ``within`` seconds that begin at ``begin`` or later."""
    first = bisect_left(moments, begin)
    most = 0
    for last in range(first, len(moments)):
        while moments[last] - moments[first] >= within:
            first += 1
        most = max(most, last - first + 1)
    return most
