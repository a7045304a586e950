"""At a glance: is all well, or what is not, since when, and what is to be done about it.

A pure function of one snapshot, so that the page, ``top`` and whoever reads ``/v1/status`` say the
same. Failures of one cause are one trouble, however many credentials it strikes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.control.explaining import explained
from proxy.control.snapshot import Snapshot
from proxy.tokens.status import CredentialStatus


class Level(enum.StrEnum):
    """How bad it is, the worst first."""

    FAILING = "failing"
    """Requests fail, or will at once."""
    AT_RISK = "at_risk"
    """Requests are served; if nothing is done they may fail later."""
    STARTING = "starting"
    """No token yet, and no failure."""
    WELL = "well"


WORST_FIRST: Final = tuple(Level)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not well.

    Attributes:
        says: a sentence without its full stop.
        detail: what was seen, where ``says`` tells what it means; may be empty.
        since: seconds since the epoch; None where nobody knows.
        credentials: whom it strikes.
    """

    level: Level
    says: str
    advice: str
    detail: str = ""
    since: float | None = None
    credentials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence on top, and what is behind it, the worst first."""

    level: Level
    says: str
    advice: str = ""
    since: float | None = None
    troubles: tuple[Trouble, ...] = ()


def verdict(snapshot: Snapshot) -> Verdict:
    """What to tell whoever is on call."""
    found = [*_of_process(snapshot), *_of_credentials(snapshot.credentials)]
    found.sort(key=lambda one: (WORST_FIRST.index(one.level), one.since or float("inf")))
    worst = found[0].level if found else Level.WELL
    if snapshot.draining:
        says = "It is on its way out: what runs is finished, new requests go elsewhere"
        return Verdict(max(worst, Level.AT_RISK, key=_badness), says, troubles=tuple(found))
    if found:
        first, others = found[0], len(found) - 1
        more = f", and {others} more" if others else ""
        return Verdict(worst, first.says + more, first.advice, first.since, tuple(found))
    waiting = snapshot.waiting
    if waiting:
        return Verdict(Level.STARTING, f"Starting: {_names(waiting)} had no token yet")
    return Verdict(Level.WELL, "All is well")


def level(status: CredentialStatus) -> Level:
    """How one credential is doing; one that nobody used yet is well."""
    if status.callers is not None:
        return Level.AT_RISK if status.state == "unavailable" else Level.WELL
    if status.state in {"refused", "unavailable"}:
        return Level.FAILING
    if status.failing_since is not None:
        return Level.AT_RISK if status.state in {"valid", "renewing"} else Level.FAILING
    return Level.STARTING if status.required and not status.ready else Level.WELL


def _badness(one: Level) -> int:
    return -WORST_FIRST.index(one)


def _of_process(snapshot: Snapshot) -> Iterator[Trouble]:
    if not snapshot.serving:
        yield Trouble(
            Level.FAILING,
            "No worker runs: nothing is forwarded",
            "see the log for why they end; new ones are started by themselves",
        )
    if snapshot.store_fault is not None:
        yield Trouble(
            Level.AT_RISK,
            f"The store can't be used: {snapshot.store_fault}",
            "see that it can be reached and written; live tokens are served meanwhile",
        )
    reloads = snapshot.reloads
    if reloads is not None and not reloads.last_ok:
        yield Trouble(
            Level.AT_RISK,
            "The changed configuration was refused, the one before it stays in effect",
            "mend the file: it is read again by itself",
            "; ".join(reloads.problems[:3]),
        )
    for secret in snapshot.secrets:
        if secret.fault is not None:
            yield Trouble(
                Level.AT_RISK,
                f"A secret can't be read anew ({secret.place}), its last good value stays",
                "see to its place; it is looked at again by itself",
                secret.fault,
                credentials=tuple(secret.credentials),
            )


def _of_credentials(credentials: Sequence[CredentialStatus]) -> Iterator[Trouble]:
    """One trouble for all that fail alike."""
    alike: dict[tuple[Level, str], list[CredentialStatus]] = {}
    for one in credentials:
        badness = level(one)
        if badness in {Level.FAILING, Level.AT_RISK} and one.last_error is not None:
            seen = explained(one.last_error).seen
            alike.setdefault((badness, seen), []).append(one)
    for (badness, _), struck in alike.items():
        yield _trouble(badness, struck)


def _trouble(badness: Level, struck: Sequence[CredentialStatus]) -> Trouble:
    names = tuple(one.name for one in struck)
    since = [one.failing_since for one in struck if one.failing_since is not None]
    first = struck[0]
    assert first.last_error is not None  # noqa: S101 - who has none is not among them
    told = explained(first.last_error)
    if first.callers is not None:
        what = "could not serve every caller"
    else:
        one = len(names) == 1
        lacks = ("has" if one else "have") + " no token"
        keeps = "can't be renewed, though " + ("its token lives" if one else "their tokens live")
        what = lacks if badness is Level.FAILING else keeps
    return Trouble(
        badness,
        f"{_names(names)} {what}: {told.plainly}",
        told.advice,
        told.seen if told.meaning else "",
        min(since, default=None),
        names,
    )


def _names(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} credentials"
