"""The soak's judgement: both ledgers against each other, the policy's bounds, the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.soak.tally import Tally
from bench.soak.tokens import LIFETIME

MEMORY_MORE = 24.0
"""MiB that the quiet process may have grown by since it was warm."""
DESCRIPTORS_MORE = 6
LEAST_APART = 0.5
"""Seconds between two tries while a provider fails."""
SENTENCES = ("Traceback", "This is a bug", "internal error")


@dataclass(frozen=True, slots=True)
class Figures:
    """The process while nothing goes on.

    Attributes:
        memory: resident, in MiB.
        busy: what its metrics call in flight or open, which must be nothing.
    """

    memory: float
    descriptors: int
    busy: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything there is to judge by.

    Attributes:
        seconds: from the sidecar's start to the last request's end.
        troubled: seconds that the provider was in trouble, in how many spells.
    """

    seconds: float
    tally: Tally
    upstream: dict[str, Any]
    provider: dict[str, Any]
    weather: Counter[str]
    troubled: float
    versions: int
    warm: Figures
    after: Figures
    peak: float
    alive: bool
    code: int
    log: str


def violations(seen: Evidence) -> Iterator[str]:
    """Everything that should not have been."""
    yield from seen.tally.wrong
    yield from (f"upstream: {each}" for each in seen.upstream["wrong"])
    yield from _requests(seen)
    yield from _tokens(seen)
    yield from _process(seen)


def _requests(seen: Evidence) -> Iterator[str]:
    processed: dict[int, int] = dict(seen.upstream["processed"])
    heads: dict[int, int] = dict(seen.upstream["heads"])
    for number, outcome in seen.tally.ended.items():
        times, arrivals = processed.get(number, 0), heads.get(number, 0)
        if outcome == "ok" and not times:
            yield f"lost: {number} was answered, but never processed"
        if times > 1:
            yield f"duplicated: {number} was processed {times} times"
        if outcome == "401" and times:
            yield f"{number} was processed, and its client had a 401"
        if outcome == "503" and arrivals:
            yield f"{number} was forwarded, and its client had a 503"
    for number in heads.keys() - seen.tally.ended.keys():
        yield f"mixed up: nobody sent {number}"


def _tokens(seen: Evidence) -> Iterator[str]:
    for credential, most in seen.provider["busiest"].items():
        if most > 1:
            yield f"{most} token requests of {credential} were in flight together"
    for client, bound in bounds(seen).items():
        asked = asked_by(seen, client)
        if asked > bound:
            yield f"{asked} token requests of {client}, at most {bound:.0f} are allowed"


def asked_by(seen: Evidence, client: str) -> int:
    """How many token requests of this client the provider saw."""
    asked: dict[str, int] = seen.provider["asked"]
    return sum(count for name, count in asked.items() if name.split(" ")[0] == client)


def bounds(seen: Evidence) -> dict[str, float]:
    """The most token requests that are allowed: elapsed ÷ 0.6 L + 2, and what was provoked."""
    usual = seen.seconds / (0.6 * LIFETIME) + 2
    rejections = seen.weather["tokens revoked"] + seen.weather["401 for a second"]
    spells = sum(count for name, count in seen.weather.items() if name.startswith("provider: "))
    return {
        "steady": usual,
        "changing": usual + 2 * seen.versions,
        "revoked": usual + rejections,
        "shaky": usual + seen.troubled / LEAST_APART + 2 * spells,
    }


def _process(seen: Evidence) -> Iterator[str]:
    if not seen.alive:
        yield "the sidecar ended by itself"
    elif seen.code:
        yield f"the sidecar's exit code is {seen.code}"
    yield from (f"the log says {each!r}" for each in SENTENCES if each in seen.log)
    yield from (f"at rest: {each.busy}" for each in (seen.warm, seen.after) if each.busy)
    if seen.after.memory > seen.warm.memory + MEMORY_MORE:
        yield f"memory grew from {seen.warm.memory:.1f} to {seen.after.memory:.1f} MiB"
    if seen.after.descriptors > seen.warm.descriptors + DESCRIPTORS_MORE:
        yield f"descriptors grew from {seen.warm.descriptors} to {seen.after.descriptors}"
