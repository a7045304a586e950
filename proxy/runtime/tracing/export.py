"""Hands finished spans to an exporter, in a thread of its own: no request ever waits for it.

What finds no room and what the exporter could not deliver is lost, and counted.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

GRACE: Final = 1.5
"""Seconds that the last spans get when everything ends."""


class Exporting(SpanProcessor):
    """The queue before an exporter.

    Args:
        exporter: may block, and take as long as it likes.
        tell: is told, in that thread, that nothing arrives (False), and that it does again (True).
        most: spans that wait at once.
        at_once: spans that are exported together.
        every: seconds that a span may wait for others.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        tell: Callable[[bool], None],
        *,
        most: int = 2048,
        at_once: int = 512,
        every: float = 5.0,
    ) -> None:
        self._exporter = exporter
        self._tell = tell
        self._most = most
        self._at_once = at_once
        self._every = every
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._ending = False
        self._arrives = True
        self._too_many = 0  # by whoever ends spans; the other two by the thread
        self._undelivered = 0
        self.exported = 0
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Spans that nobody will see."""
        return self._too_many + self._undelivered

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that is whole."""
        if len(self._waiting) >= self._most or self._ending:
            self._too_many += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= self._at_once and not self._wake.is_set():
            self._wake.set()

    def shutdown(self) -> None:
        """Export what waits, for a moment; what then still waits is lost."""
        self._ending = True
        self._wake.set()
        self._thread.join(GRACE)
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's port
        """Have it exported soon; nobody waits for that."""
        self._wake.set()
        return True

    def _run(self) -> None:
        while not self._ending:
            self._wake.wait(self._every)
            self._wake.clear()
            while self._waiting:
                self._export()
        while self._waiting:
            self._export()

    def _export(self) -> None:
        size = min(self._at_once, len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(size)]
        if self._delivers(batch):
            self.exported += size
        else:
            self._undelivered += size

    def _delivers(self, batch: list[ReadableSpan]) -> bool:
        try:
            arrives = self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001 - whatever it was, the thread goes on
            arrives = False
        if arrives is not self._arrives:
            self._arrives = arrives
            self._tell(arrives)
        return arrives
