"""What must hold between an upstream's bytes and the client's, whatever the bytes were.

A client reads at most one final answer for each request it sent, takes none for whole that was
not, and never gets what was sent for somebody else. h11 is the client, and the measure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import h11

from tests.fuzz.readers import events
from tests.fuzz.stage import Answered

HOP_BY_HOP = {b"proxy-authenticate", b"te", b"upgrade", b"http2-settings"}


class Answer(NamedTuple):
    """A final answer as h11 reads it, and the bytes behind it."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    complete: bool
    rest: bytes

    @property
    def ours(self) -> bool:
        """Whether the sidecar says in it that it speaks for itself."""
        return any(name == b"proxy-status" for name, _ in self.fields)


def read(raw: bytes, method: bytes, *, ended: bool) -> Answer | None:
    """The final answer to a request, None where h11 finds no head of one.

    ``ended`` says whether the connection ended in good order behind the bytes.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    if ended and raw:
        connection.receive_data(b"")
    head: h11.Response | None = None
    body, complete = b"", False
    for event in events(connection):
        if isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            complete = True
    if head is None:
        return None
    fields = tuple((bytes(name), bytes(value)) for name, value in head.headers)
    rest = connection.trailing_data[0] if complete else b""
    return Answer(head.status_code, fields, body, complete, rest)


def complaints(raw: bytes, method: bytes, ended: bool, outcome: Answered) -> Iterator[str]:
    """What is wrong with what the client got for ``raw``."""
    got = read(outcome.first, method, ended=outcome.ended)
    sent = read(raw, method, ended=ended)
    if got is None:
        if outcome.first and not outcome.cut and not _informational(outcome.first):
            yield "the client can't read what it got"
        return
    if got.rest:
        yield f"the client got {got.rest!r} behind its answer"
    if not got.ours:
        yield from _passed(got, sent)
    for then in outcome.then:
        if then not in {b"", outcome.expected}:
            yield f"the next request was answered with {then!r}"


def same(one: Answered, other: Answered, method: bytes) -> bool:
    """Whether two ways of cutting the same bytes gave the client the same."""
    first, second = (read(o.first, method, ended=o.ended) for o in (one, other))
    if first is None or second is None:
        return first is second
    if first.ours or second.ours or not (first.complete and second.complete):
        # what had gone out when the error showed depends on the cut, what it means does not
        return not (_taken_for_whole(first) or _taken_for_whole(second))
    return first._replace(fields=()) == second._replace(fields=())


def _taken_for_whole(answer: Answer) -> bool:
    return answer.complete and not answer.ours


def _informational(raw: bytes) -> bool:
    return raw.startswith(b"HTTP/1.1 1")


def _passed(got: Answer, sent: Answer | None) -> Iterator[str]:
    names = [name for name, _ in got.fields]
    if sent is None:
        yield f"an answer {got} that nobody sent"
        return
    if got.status != sent.status or not sent.body.startswith(got.body):
        yield f"another answer {got} than the upstream's {sent}"
    if got.complete and (not sent.complete or got.body != sent.body):
        yield f"{got} passes for whole, but {sent} came"
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1:
        yield "two framings"
    if HOP_BY_HOP & set(names):
        yield f"a field of the upstream's connection came back: {names}"
    if any(bytes(range(32)).replace(b"\t", b"") in value for _, value in got.fields):
        yield "a control byte came back"
