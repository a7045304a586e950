"""What a worker tells of itself unasked: its load at once, its totals and uses once a second.

Only what changed is told, so that a thousand quiet routes cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from proxy.control.snapshot import Spans
from proxy.plane.plane import Plane
from proxy.plane.totals import RouteTotals
from proxy.runtime.workers import words
from proxy.runtime.workers.frames import frame
from proxy.tokens.borrowed import BorrowedCredential

EVERY: Final = 4
"""Looks at the load between two at the totals."""

Mark = tuple[int, int, int]


class Report:
    """Remembers what was told.

    Attributes:
        plane: None until there is one.
        taken: connections that were handed over so far.
        spans: what became of the spans; None where nobody follows.
    """

    def __init__(
        self, send: Callable[[bytes], None], lent: Mapping[int, BorrowedCredential]
    ) -> None:
        self._send = send
        self._lent = lent
        self._looks = 0
        self._load = (0, 0, 0)
        self._marks: dict[str, Mark] = {}
        self._used: dict[int, float] = {}
        self.plane: Plane | None = None
        self.taken = 0
        self.spans: Callable[[], Spans] | None = None

    def changes(self) -> None:
        """Tell what is new; every so often that we live, too."""
        self._looks += 1
        if self._looks % EVERY == 0:
            self.whole()
        elif self.plane is not None:
            self._tell_load(self.plane)

    def whole(self) -> None:
        """Tell everything that is new."""
        plane = self.plane
        routes: dict[str, object] = {}
        if plane is not None:
            self._tell_load(plane)
            routes = {
                label: words.of_totals(totals)
                for label, totals in plane.totals.items()
                if self._moved(label, totals)
            }
        said: dict[str, object] = {"kind": "totals", "routes": routes, "used": self._uses()}
        if self.spans is not None:
            spans = self.spans()
            said["spans"] = [spans.exported, spans.lost]
        self._send(frame(said))

    def _tell_load(self, plane: Plane) -> None:
        load = (self.taken, len(plane.inbounds), plane.in_flight)
        if load != self._load:
            self._load = load
            self._send(frame({"kind": "load", "load": load}))

    def _moved(self, label: str, totals: RouteTotals) -> bool:
        mark = sum(totals.buckets), totals.in_flight, totals.waiting
        moved = self._marks.get(label) != mark
        self._marks[label] = mark
        return moved

    def _uses(self) -> list[tuple[int, float]]:
        new = [
            (key, lent.used)
            for key, lent in self._lent.items()
            if lent.used > self._used.get(key, 0)
        ]
        self._used.update(new)
        return new
