"""One request of the soak: what is sent, what the upstream is to do, and what may come of it.

The whole plan travels with the request, in one field, so the upstream needs to be told nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from bench.soak.bodies import TYPES, Body

FIELD = "X-Soak"
MIB = 1 << 20
HEAVY = 2 * MIB
"""Bodies from here on go a few at a time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request.

    Attributes:
        case: the name of what it tries.
        up, down: kind and size of the two bodies.
        chunked: how the upload is framed.
        expects: the client waits for a 100 before its body (RFC 9110 section 10.1.1).
        minor: the client speaks HTTP/1.``minor``.
        keep: the client keeps its connection.
        framing: how the response is framed: length, chunked, close.
        fault: what the upstream does instead of answering well; empty for nothing.
        at: bytes of a body after which something happens, at either end.
        pause: seconds that the upstream rests between chunks.
        leave: when the client leaves: never, sending, waiting, reading.
    """

    number: int
    case: str
    path: str
    method: str
    up: tuple[str, int]
    down: tuple[str, int]
    chunked: bool = False
    expects: bool = False
    minor: int = 1
    keep: bool = True
    framing: str = "length"
    fault: str = ""
    at: int = 0
    pause: float = 0.0
    leave: str = "never"

    @property
    def upload(self) -> Body:
        """What the client sends."""
        return Body(*self.up, self.number * 2)

    @property
    def download(self) -> Body:
        """What the upstream sends."""
        return Body(*self.down, self.number * 2 + 1)

    @property
    def credential(self) -> str:
        """Whose token goes with it."""
        return CREDENTIALS.get(self.path, "steady")

    @property
    def target(self) -> str:
        """What the client asks for."""
        return f"{self.path}{self.number}%2Fx?q=%2A&n={self.number}"

    @property
    def heavy(self) -> bool:
        """Whether it moves very much."""
        return self.up[1] + self.down[1] >= HEAVY

    def encode(self) -> str:
        """For the field."""
        return json.dumps(asdict(self), separators=(",", ":"))


def decode(text: str) -> Plan:
    """From the field."""
    plan = json.loads(text)
    return Plan(**(plan | {"up": tuple(plan["up"]), "down": tuple(plan["down"])}))


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request: how often it comes, where it goes, and what may come of it.

    Attributes:
        outcomes: ``ok``, a status, ``cut`` (the connection), ``left`` (the client).
        trouble: outcomes that are allowed only while something is provoked, or shortly after.
    """

    name: str
    share: int
    path: str
    outcomes: frozenset[str]
    trouble: frozenset[str] = frozenset()
    fault: str = ""
    leave: str = "never"


def _cases() -> Iterable[Case]:
    fine = frozenset({"ok"})
    yield Case("nothing goes wrong", 60, "/steady/", fine)
    yield Case("credential changes", 12, "/changing/", fine)
    yield Case("provider fails", 12, "/shaky/", fine, frozenset({"503"}))
    yield Case("token revoked", 12, "/revoked/", fine, frozenset({"401"}))
    yield Case("upstream refuses", 6, "/door/", fine, frozenset({"502", "cut"}))
    yield Case("pooled connection ends", 10, "/flaky/", frozenset({"ok", "502"}), fault="end")
    yield Case("more than was asked", 3, "/flaky/", frozenset({"ok", "502"}), fault="excess")
    yield Case("early answer", 4, "/steady/", fine, fault="early")
    yield Case("early answer and end", 3, "/steady/", fine, fault="early end")
    refused, cut = frozenset({"502"}), frozenset({"cut"})
    yield Case("reset before the body", 2, "/steady/", refused, fault="reset")
    yield Case("reset before the head", 2, "/steady/", refused, fault="reset late")
    yield Case("reset in the head", 2, "/steady/", refused, fault="reset in head")
    yield Case("reset in the body", 2, "/steady/", cut | refused, fault="reset in body")
    yield Case("end in the body", 2, "/steady/", cut, fault="end in body")
    yield Case("garbage", 2, "/steady/", refused, fault="garbage")
    yield Case("stall before the head", 2, "/impatient/", frozenset({"504"}), fault="stall")
    yield Case("stall in the body", 2, "/impatient/", cut, fault="stall in body")
    for when in ("sending", "waiting", "reading"):
        yield Case(f"client leaves {when}", 2, "/steady/", frozenset({"left"}), leave=when)


CASES = tuple(_cases())
SHARES = tuple(case.share for case in CASES)
NAMED = {case.name: case for case in CASES}
CREDENTIALS = {f"/{name}/": name for name in ("changing", "shaky", "revoked")}
"""Path → the credential that goes there; ``steady`` everywhere else."""
IN_BODY = {"reset in body", "end in body", "stall in body"}


def draw(chance: random.Random, number: int) -> Plan:
    """The next request."""
    case = chance.choices(CASES, SHARES)[0]
    method = chance.choice(("GET", "POST", "POST", "PUT"))
    if case.leave == "sending" or case.fault.startswith("early"):
        method = "POST"
    up = 0 if method == "GET" else _size(chance)
    down, framing = _size(chance), chance.choice(("length", "length", "chunked", "close"))
    kind, at, pause = chance.choice(tuple(TYPES)), 0, 0.0
    if case.leave == "sending":
        up, at = max(up, 2), chance.randrange(max(up, 2) // 2 + 1)
    if case.leave == "reading" or case.fault in IN_BODY:
        down = max(down, 2)
        at = chance.randrange(1, down // 2 + 1)
        framing = chance.choice(("length", "chunked"))
    if kind == "sse" and down <= MIB:
        framing, pause = "chunked", chance.choice((0.0, 0.01, 0.05))
    minor = 0 if chance.random() < 0.05 else 1
    return Plan(
        number=number,
        case=case.name,
        path=case.path,
        method=method,
        up=(chance.choice(("json", "arrow")), up),
        down=(kind, down),
        chunked=method != "GET" and minor > 0 and chance.random() < 0.3,
        expects=up > 0 and minor > 0 and chance.random() < 0.1,
        minor=minor,
        keep=chance.random() < 0.8,
        framing=framing,
        fault=case.fault,
        at=at,
        pause=pause,
        leave=case.leave,
    )


def _size(chance: random.Random) -> int:
    """Mostly small, now and then 64 MiB."""
    kind = chance.random()
    if kind < 0.08:
        return 0
    if kind < 0.86:
        return int(2 ** chance.uniform(0, 16))
    if kind < 0.988:
        return int(2 ** chance.uniform(16, 20))
    if kind < 0.998:
        return int(2 ** chance.uniform(20, 24))
    return 64 * MIB
