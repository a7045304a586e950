"""Whether the demonstration kept its promise, and what to say of it. Pure.

A promise is kept or it isn't: any answer but 200, any 401 at the API through the sidecar, any
byte that differs, too few renewals or too many token requests are each a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.demo.legacy import KINDS
from proxy.demo.observe import Held, Ledger
from proxy.demo.report import OK, UNAUTHORIZED, Report
from proxy.demo.setting import SUBJECTS

RENEWALS: Final = 3
SHOWN: Final = 5
SHARE: Final = 0.6
"""Of a token's life that passes at the least before it is renewed."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A token fetched once and kept: the status at first, and after so many seconds."""

    first: int
    later: int
    after: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was seen.

    Attributes:
        lifetime: seconds that each token lived; seconds: how long the program worked.
        direct: kind -> status that the program got at the API itself.
        exit_code: how the sidecar ended when it was told to; None if it was not.
    """

    lifetime: int
    seconds: float
    direct: Mapping[str, int]
    report: Report
    held: tuple[Held, ...]
    by_hand: ByHand
    ledger: Ledger
    exit_code: int | None = 0

    @property
    def refused(self) -> int:
        """401s of the API that came through the sidecar, seen by the program or not."""
        own = [*self.direct.values(), self.by_hand.first, self.by_hand.later]
        return sum(self.ledger.refused.values()) - own.count(UNAUTHORIZED)

    @property
    def most(self) -> int:
        """Tokens per credential that its renewal policy allows for this time.

        A JWT's whole-second ``exp`` may cost it up to one second of its life.
        """
        return int(self.seconds / (SHARE * (self.lifetime - 1))) + 2


def failures(outcome: Outcome) -> list[str]:
    """Every promise that was not kept, in words; empty if all were."""
    return [*_of_the_setting(outcome), *_of_the_program(outcome), *_of_the_tokens(outcome)]


def _of_the_setting(outcome: Outcome) -> Iterator[str]:
    """What the proof stands on: the API refuses those without a good token."""
    for kind in KINDS:
        status = outcome.direct.get(kind, 0)
        if status != UNAUTHORIZED:
            yield f"{kind}: without the sidecar the API should say 401, it said {status}"
    hand = outcome.by_hand
    if (hand.first, hand.later) != (OK, UNAUTHORIZED):
        yield f"a token kept by hand should get 200, then 401; it got {hand.first}, {hand.later}"


def _of_the_program(outcome: Outcome) -> Iterator[str]:
    report = outcome.report
    yield from report.faults[:SHOWN]
    if len(report.faults) > SHOWN:
        yield f"and {len(report.faults) - SHOWN} more of the {report.total.requests} requests"
    for kind, tally in report.tallies.items():
        if not tally.requests:
            yield f"{kind}: the program made no request"
    chat = report.tallies["chat"]
    if chat.ok and chat.streamed < chat.slowest / 2:
        yield "chat: the answer came in one piece, not word by word"
    accepted = sum(outcome.ledger.accepted.get(subject, 0) for subject in SUBJECTS.values())
    if accepted != report.total.ok:
        yield f"the API accepted {accepted} requests, the program had {report.total.ok} answered"
    if outcome.refused:
        yield f"the API said 401 to {outcome.refused} of the sidecar's requests"


def _of_the_tokens(outcome: Outcome) -> Iterator[str]:
    for one in outcome.held:
        subject = SUBJECTS.get(one.name, one.name)
        issued = outcome.ledger.issued.get(subject, 0)
        if one.renewals < RENEWALS:
            said = f": {one.error}" if one.error else ""
            yield f"{one.name}: {one.renewals} renewals, at least {RENEWALS} expected{said}"
        if issued > outcome.most:
            yield f"{one.name}: {issued} tokens fetched, at most {outcome.most} expected"
    if not outcome.held:
        yield "the sidecar told of no credential"
    if outcome.exit_code:
        yield f"the sidecar ended with code {outcome.exit_code} when it was told to stop"


def summary(outcome: Outcome) -> list[str]:
    """What happened, one sentence an entry; only for an outcome without failures."""
    total, ledger = outcome.report.total, outcome.ledger
    issued = {subject: ledger.issued.get(subject, 0) for subject in SUBJECTS.values()}
    each = ", ".join(f"{count} for {subject}" for subject, count in issued.items())
    least = min((ledger.least[subject] for subject in issued if subject in ledger.least), default=0)
    seen = sum(ledger.tokens.get(subject, 0) for subject in issued)
    chat = outcome.report.tallies["chat"]
    return [
        f"Through the sidecar: {total.requests} requests, {total.ok} x 200, "
        f"{total.unauthorized} x 401. The API agrees.",
        f"Without it the same program got 401 for each of the {len(outcome.direct)} kinds of work.",
        f"A token fetched by hand got 200 at first, and 401 after {outcome.by_hand.after:.1f} s.",
        f"The provider issued the sidecar {sum(issued.values())} tokens of {outcome.lifetime} s "
        f"each ({each}); {outcome.most} per credential would have been allowed.",
        f"The API saw {seen} different tokens from it, none with less than {least:.1f} s to live.",
        "Every Arrow answer was byte for byte the known good one; every upload's SHA-256 agreed; "
        f"completions came word by word over {chat.streamed:.1f} s.",
    ]
