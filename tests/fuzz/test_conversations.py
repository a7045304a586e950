"""Several clients and upstream connections at once, in any order of events that Hypothesis finds.

Every request carries a number and every answer says which one it is for, so that nothing can be
mixed up unseen; h11 reads what each client got and what each upstream connection got.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.fuzz.answers_judge import Answer, read
from tests.fuzz.readers import lenient, strict
from tests.fuzz.stage import Pipe, Stage

BODY = b"abcdefgh" * 3
KINDS = ("get", "open", "counted", "chunked", "expecting", "refused", "closing")
ANSWERS = ("counted", "chunked", "until close", "hints", "nothing", "nonsense", "unauthorized")
SMALL = st.integers(0, 3)


@dataclass
class Client:
    """One client's connection: what it has asked for, and what it still has to send."""

    pipe: Pipe
    asked: list[bytes] = field(default_factory=list)
    unsent: bytes = b""


@dataclass
class Answering:
    """What an upstream connection still has to send for a request."""

    unsent: bytes
    ends: bool


class Conversations(RuleBasedStateMachine):
    """Two clients at a time, as many upstream connections as they need."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stage = Stage()
        self.number = 0
        self.kinds: dict[bytes, str] = {}
        self.clients: list[Client] = []
        self.left: list[Client] = []
        self.answering: dict[Pipe, Answering] = {}
        self.answered: Counter[Pipe] = Counter()
        self.unauthorized: Counter[bytes] = Counter()

    @initialize()
    def begin(self) -> None:
        self.runner.run(self.stage.open())
        self.do(lambda: self.clients.extend(Client(self.stage.client()) for _ in range(2)))

    def do(self, *steps) -> None:
        """Take these steps and let the loop come to rest."""

        async def taken() -> None:
            for step in steps:
                self.stage.stock()
                step()
                self.stage.stock()
                await self.stage.turn()

        self.runner.run(taken())

    # -- clients

    @rule(who=st.integers(0, 1), kind=st.sampled_from(KINDS), cut=st.integers(0, 200))
    def ask(self, who: int, kind: str, cut: int) -> None:
        client = self.clients[who]
        if client.unsent:
            return
        self.number += 1
        name = b"%d" % self.number
        self.kinds[name] = kind
        client.asked.append(name)
        raw = request(name, kind)
        client.unsent = raw[cut:]
        self.do(lambda: client.pipe.feed(raw[:cut]))

    @rule(who=st.integers(0, 1), size=st.integers(1, 60))
    def go_on_asking(self, who: int, size: int) -> None:
        client = self.clients[who]
        if client.unsent and not client.pipe.paused:
            sent, client.unsent = client.unsent[:size], client.unsent[size:]
            self.do(lambda: client.pipe.feed(sent))

    @rule(who=st.integers(0, 1), slow=st.booleans())
    def keep_up_or_not(self, who: int, slow: bool) -> None:
        pipe = self.clients[who].pipe
        if pipe.protocol.blocked != slow and not pipe.gone:
            step = pipe.protocol.pause_writing if slow else pipe.protocol.resume_writing
            self.do(step)

    @rule(who=st.integers(0, 1), orderly=st.booleans())
    def leave(self, who: int, orderly: bool) -> None:
        client = self.clients[who]
        self.left.append(client)
        self.do(
            client.pipe.end if orderly else client.pipe.close,
            lambda: self.clients.__setitem__(who, Client(self.stage.client())),
        )

    # -- upstreams

    def waiting(self) -> list[Pipe]:
        """The connections that owe an answer and have not begun one."""
        return [far for far in self.stage.asked(whole=False) if far not in self.answering]

    @precondition(lambda self: self.waiting())
    @rule(which=SMALL, kind=st.sampled_from(ANSWERS), cut=st.integers(0, 300))
    def answer(self, which: int, kind: str, cut: int) -> None:
        far = self.waiting()[which % len(self.waiting())]
        name = strict(bytes(far.sent))[-1].target.rpartition(b"/")[2]
        raw, ends = answer(name, kind)
        self.unauthorized[name] += kind == "unauthorized"
        self.answering[far] = Answering(raw, ends)
        self.send_on(far, cut)

    @precondition(lambda self: self.answering)
    @rule(which=SMALL, size=st.integers(1, 300))
    def go_on_answering(self, which: int, size: int) -> None:
        self.send_on(list(self.answering)[which % len(self.answering)], size)

    def send_on(self, far: Pipe, size: int) -> None:
        if far.paused and not far.gone:
            return
        left = self.answering[far]
        sent, left.unsent = left.unsent[:size], left.unsent[size:]
        self.do(lambda: far.feed(sent))
        if not left.unsent or far.gone:
            del self.answering[far]
            if left.ends:
                self.do(far.end)

    @precondition(lambda self: self.stage.far)
    @rule(which=SMALL, how=st.sampled_from(["end", "lost", "unasked"]))
    def break_off(self, which: int, how: str) -> None:
        far = self.stage.far[which % len(self.stage.far)]
        if how == "unasked":
            if far.protocol._exchange is None:
                self.do(lambda: far.feed(answer(b"0", "counted")[0]))
            return
        self.answering.pop(far, None)
        self.do(far.end if how == "end" else far.close)

    @rule(which=SMALL, slow=st.booleans())
    def take_the_body_or_not(self, which: int, slow: bool) -> None:
        fars = [far for far in self.stage.far if not far.gone]
        far = fars[which % len(fars)] if fars else None
        if far and far.protocol.blocked != slow and far.protocol._exchange:
            self.do(far.protocol.pause_writing if slow else far.protocol.resume_writing)

    # -- the sidecar

    @rule(seconds=st.sampled_from([0.1, 0.6, 11, 31, 61, 301]))
    def wait(self, seconds: float) -> None:
        self.do(lambda: self.stage.clock.move(seconds))

    @rule(hold=st.integers(1, 10))
    def swap(self, hold: int) -> None:
        plane = self.stage.plane
        changed = replace(plane.settings, hold=float(hold))
        self.do(lambda: plane.swap(changed, plane.credentials))

    # -- what must hold

    @invariant()
    def each_client_reads_its_own_answers_in_order(self) -> None:
        for client in [*self.clients, *self.left]:
            raw, ended = bytes(client.pipe.sent), client.pipe.ended
            for name in client.asked:
                got = read(raw, method_of(self.kinds[name]), ended=ended)
                if got is None:
                    break
                self.check_answer(name, got)
                raw = got.rest
                if not got.complete:
                    raw = b""
                    break
            else:
                assert not raw, f"behind its last answer a client got {raw!r}"

    def check_answer(self, name: bytes, got: Answer) -> None:
        if got.ours:
            return
        whole = name * 10
        assert whole.startswith(got.body), f"{name!r} was answered with {got.body!r}"
        assert got.body == whole or not got.complete, f"{got.body!r} passes for whole"
        assert got.status != 401 or self.unauthorized[name]

    @invariant()
    def each_request_goes_up_once_whole_and_as_it_was_sent(self) -> None:
        seen: Counter[bytes] = Counter()
        for far in self.stage.far:
            raw = bytes(far.sent)
            went = strict(raw)
            assert [(r.target, r.body) for r in lenient(raw, chunks_first=True)] == [
                (r.target, r.body) for r in went
            ]
            for sent in went:
                name = sent.target.rpartition(b"/")[2]
                seen[name] += 1
                body = BODY if self.kinds[name] in {"counted", "chunked", "expecting"} else b""
                assert body == sent.body if sent.complete else body.startswith(sent.body)
                assert sent.complete or sent == went[-1]
                expected = 0 if self.kinds[name] == "open" else 1
                assert len(sent.all(b"authorization")) == expected
        for name, times in seen.items():
            assert times <= 1 + self.unauthorized[name], f"{name!r} went up {times} times"

    @invariant()
    def nothing_is_a_bug(self) -> None:
        assert not self.stage.bugs, self.stage.bugs
        assert 0 <= self.stage.plane.in_flight <= 2

    def teardown(self) -> None:
        if self.clients:
            self.do(*(client.pipe.close for client in self.clients))
            self.do()
            plane = self.stage.plane
            assert plane.in_flight == 0
            assert not plane.inbounds
            assert plane.budget._left == plane.settings.limits.replay_budget
        self.runner.run(self.stage.close())
        self.runner.close()


def request(name: bytes, kind: str) -> bytes:
    """A request that is known by its target."""
    host = b"Host: evil.example\r\n" if kind == "refused" else b"Host: localhost\r\n"
    start = method_of(kind) + (b" /open/" if kind == "open" else b" /") + name + b" HTTP/1.1\r\n"
    start += host
    if kind == "counted":
        return start + b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    if kind == "expecting":
        start += b"Expect: 100-continue\r\n"
        return start + b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    if kind == "chunked":
        coded = b"".join(b"8;x\r\n%b\r\n" % BODY[at : at + 8] for at in (0, 8, 16))
        return start + b"Transfer-Encoding: chunked\r\n\r\n" + coded + b"0\r\n\r\n"
    return start + (b"Connection: close\r\n\r\n" if kind == "closing" else b"\r\n")


def method_of(kind: str) -> bytes:
    return b"POST" if kind in {"counted", "chunked", "expecting"} else b"GET"


def answer(name: bytes, kind: str) -> tuple[bytes, bool]:
    """An answer that says whom it is for, and whether its end is the connection's."""
    body = name * 10
    counted = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if kind == "chunked":
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
            len(body),
            body,
        ), False
    return {
        "counted": (b"HTTP/1.1 200 OK\r\n" + counted, False),
        "until close": (b"HTTP/1.1 200 OK\r\n\r\n" + body, True),
        "hints": (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\n" + counted, False),
        "nothing": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + body[:1], True),
        "nonsense": (b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", False),
        "unauthorized": (b"HTTP/1.1 401 Unauthorized\r\n" + counted, False),
    }[kind]


TestConversations = Conversations.TestCase
TestConversations.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
