"""What the old program reports, line by line, and the sums of it. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.demo.legacy import KINDS, Result

OK: Final = 200
UNAUTHORIZED: Final = 401


class ReportError(ValueError):
    """The old program wrote a line that is none of its reports."""


def parse(line: bytes) -> Result:
    """One line of the report.

    Raises:
        ReportError: it is none.
    """
    try:
        result = Result(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise ReportError(f"not a report: {line[:80]!r}") from error
    if result.kind not in KINDS:
        raise ReportError(f"not a kind of work: {result.kind!r}")
    return result


@dataclass(slots=True)
class Tally:
    """The sums of one kind of work; bytes and seconds.

    Attributes:
        ok: answers with status 200 that were what they should be.
        failed: everything else but 401.
        status: of the last request.
        slowest: the longest time from sending to the last byte.
        streamed: the longest time that one answer's pieces kept coming.
    """

    status: int = 0
    requests: int = 0
    ok: int = 0
    unauthorized: int = 0
    failed: int = 0
    sent: int = 0
    received: int = 0
    slowest: float = 0.0
    streamed: float = 0.0

    def add(self, result: Result) -> None:
        """Count one request."""
        self.status = result.status
        self.requests += 1
        self.sent += result.sent
        self.received += result.received
        self.slowest = max(self.slowest, result.seconds)
        self.streamed = max(self.streamed, result.spread)
        if result.status == UNAUTHORIZED:
            self.unauthorized += 1
        elif result.status == OK and not result.fault:
            self.ok += 1
        else:
            self.failed += 1


@dataclass(slots=True)
class Report:
    """The whole of what one run of the old program met."""

    tallies: Mapping[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    faults: list[str] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one request, and keep what was wrong with it."""
        self.tallies[result.kind].add(result)
        if result.status != OK or result.fault:
            said = f"status {result.status}" if result.status else "no answer"
            self.faults.append(f"{result.kind}: {said}: {result.fault}")

    @property
    def statuses(self) -> dict[str, int]:
        """Kind -> the status of its last request, 0 where there was none or no answer."""
        return {kind: tally.status for kind, tally in self.tallies.items()}

    @property
    def total(self) -> Tally:
        """Over all kinds."""
        tallies = self.tallies.values()
        return Tally(
            requests=sum(one.requests for one in tallies),
            ok=sum(one.ok for one in tallies),
            unauthorized=sum(one.unauthorized for one in tallies),
            failed=sum(one.failed for one in tallies),
            sent=sum(one.sent for one in tallies),
            received=sum(one.received for one in tallies),
            slowest=max(one.slowest for one in tallies),
        )
