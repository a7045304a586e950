"""Generates inputs, has each run twice (whole, and in pieces on then warm caches), and counts.

The same seed gives the same inputs. A stage is kept for some thousand of them, so that its head
caches fill, overflow and meet heads that differ by one byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from proxy.secret import Secret
from tests.fuzz import answers, answers_judge, judge, requests
from tests.fuzz.readers import strict
from tests.fuzz.stage import Stage

A_STAGE = 2000
KEYED = {"notebook": Secret(judge.KEY.decode())}
KEYS = (b"Authorization: Bearer n0te", b"X-Token-Sidecar-Key: n0te", b"authorization:BEARER n0te ")
ASKED = (
    (b"GET", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (b"GET", b"GET /open/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    (b"HEAD", b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    (b"GET", b"GET /open/ HTTP/1.0\r\n\r\n"),
    (b"GET", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    (b"POST", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"),
)


@dataclass(slots=True)
class Tally:
    """What came of a run.

    Attributes:
        passed: inputs of which something went through.
        stricter: inputs of which h11 would have let more through.
        tolerated: inputs that h11 refuses against the RFC.
        disagreements: what must not be, each with its input.
    """

    inputs: int = 0
    passed: int = 0
    stricter: int = 0
    tolerated: int = 0
    disagreements: list[str] = field(default_factory=list)

    def note(self, raw: bytes, found: Iterable[str]) -> None:
        """Keep what was found wrong with this input."""
        found = list(dict.fromkeys(found))
        if found and judge.tolerated(raw):
            self.tolerated += 1
        else:
            self.disagreements += [f"{what}: {raw!r}" for what in found]


def pieces(random: Random, raw: bytes) -> list[bytes]:
    """The same bytes in pieces."""
    if len(raw) < 100 and random.random() < 0.3:
        return [raw[at : at + 1] for at in range(len(raw))]
    cuts = sorted(random.randrange(len(raw) + 1) for _ in range(random.choice((1, 1, 2, 5))))
    ends = zip([0, *cuts], [*cuts, len(raw)], strict=True)
    return [piece for start, end in ends if (piece := raw[start:end])]


@asynccontextmanager
async def staged(clients: dict[str, Secret] | None = None) -> AsyncIterator[Stage]:
    """A stage that is ready, and whose bugs are told."""
    stage = Stage(clients)
    await stage.open()
    try:
        yield stage
    finally:
        await stage.close()
    if stage.bugs:
        raise stage.bugs[0]


async def judge_requests(stage: Stage, random: Random, tally: Tally) -> None:
    """One input from a client."""
    raw = requests.stream(random, KEYS if stage.plane.settings.clients else ())
    one = await stage.run([raw])
    other = await stage.run(pieces(random, raw))
    found = [*judge.complaints(raw, one), *judge.complaints(raw, other)]
    if not judge.same(one, other):
        found.append("the cut makes a difference")
    tally.note(raw, found)
    tally.inputs += 1
    tally.passed += bool(one.streams)
    tally.stricter += _whole(raw) > sum(map(_whole, one.streams))


def _whole(raw: bytes) -> int:
    return sum(request.complete for request in strict(raw))


async def judge_answers(stage: Stage, random: Random, tally: Tally) -> None:
    """One input from an upstream."""
    raw, end = answers.stream(random), random.random() < 0.5
    method, request = random.choice(ASKED)
    one = await stage.answer(request, [raw], end=end)
    other = await stage.answer(request, pieces(random, raw), end=end)
    found = [
        *answers_judge.complaints(raw, method, end, one),
        *answers_judge.complaints(raw, method, end, other),
    ]
    if not answers_judge.same(one, other, method):
        found.append("the cut makes a difference")
    tally.note(raw, found)
    got = answers_judge.read(one.first, method, ended=one.ended)
    sent = answers_judge.read(raw, method, ended=end)
    tally.inputs += 1
    tally.passed += bool(got and not got.ours)
    tally.stricter += bool(got and got.ours and sent and sent.complete)


async def from_clients(count: int, seed: int) -> Tally:
    """So many inputs from clients; one in five comes to where client keys are wanted."""
    random, tally = Random(seed), Tally()
    while tally.inputs < count:
        async with staged() as plain, staged(KEYED) as keyed:
            for _ in range(min(A_STAGE, count - tally.inputs)):
                stage = keyed if random.random() < 1 / 5 else plain
                await judge_requests(stage, random, tally)
    return tally


async def from_upstreams(count: int, seed: int) -> Tally:
    """So many inputs from upstreams."""
    random, tally = Random(seed), Tally()
    while tally.inputs < count:
        async with staged() as stage:
            for _ in range(min(A_STAGE, count - tally.inputs)):
                await judge_answers(stage, random, tally)
    return tally


def run(count: int, seed: int) -> dict[str, Tally]:
    """Two thirds of ``count`` from clients, the rest from upstreams."""
    third = count // 3
    return {
        "from clients": asyncio.run(from_clients(count - third, seed)),
        "from upstreams": asyncio.run(from_upstreams(third, seed)),
    }
