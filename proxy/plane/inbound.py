"""One client's connection: cuts requests out of its bytes and writes what comes back.

Decides about framing, limits and time on the client's side; where a request goes and
what is put on it is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import enum
import math
import re
import socket
import struct
import sys
from typing import TYPE_CHECKING, Final, cast

from proxy.http1.framing import Kind
from proxy.http1.refusal import MessageError
from proxy.plane import answers
from proxy.plane.answers import Problem
from proxy.plane.exchange import Exchange
from proxy.plane.intake import NOTHING, Intake, Piece, intake_for
from proxy.plane.local import Told
from proxy.plane.own_answer import OwnAnswer
from proxy.plane.peek import ended
from proxy.plane.prepare import Prepared
from proxy.plane.tunnel import Tunnel
from proxy.plane.wiring import wired

if TYPE_CHECKING:
    from proxy.plane.door import Door

MOST_PIPELINED: Final = 64 << 10
"""Bytes of later requests that are read while one is being answered."""
EMPTY_LINES: Final = re.compile(rb"\A(?:\r\n)+")
"""Forgiven before a request (RFC 9112 section 2.2), all of them: however many come at once."""
BARE_END: Final = re.compile(rb"\n\r?\n")
"""Without CRLF CRLF, somebody means this as a head's end: to wait for more would help nobody."""
IDLE: Final = 300.0
"""Seconds an idle client may stay."""
RESET_ON_CLOSE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
LINGER: Final = 2.0
"""Seconds for the client to read a last answer while it still sends (RFC 9112 section 9.6)."""


class _State(enum.Enum):
    HEAD = 1
    BODY = 2
    WAIT = 3
    DISCARD = 4
    LINGER = 5
    TUNNEL = 6


# enum members by their bare names: the hot path compares with them many times a request
_HEAD, _BODY, _WAIT = _State.HEAD, _State.BODY, _State.WAIT


class Inbound(asyncio.Protocol):
    """A client's connection.

    Attributes:
        blocked: the client does not take more bytes for now.
        deadline: monotonic seconds at which the sweep calls ``expire``.
        door: the listener it came in by.
    """

    __slots__ = (
        "_answered",
        "_buffer",
        "_exchange",
        "_intake",
        "_prepared",
        "_state",
        "_stopped",
        "_tunnel",
        "blocked",
        "deadline",
        "door",
        "transport",
    )

    def __init__(self, door: Door) -> None:
        self.door = door
        self._answered = False
        self._buffer = b""
        self._exchange: Exchange | OwnAnswer | None = None
        self._intake: Intake | None = None
        self._prepared: Prepared | None = None
        self._state = _State.HEAD
        self._stopped = False
        self._tunnel: Tunnel | None = None
        self.blocked = False
        self.deadline = math.inf
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    # -- what the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or turn it away."""
        self.transport, sock = wired(transport)
        self.deadline = self.door.now() + IDLE
        refusal = self.door.enter(self, sock)
        if refusal is not None:
            self._refuse(refusal)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._state is _HEAD and not self.blocked:
            self._read_head(self._buffer + data if self._buffer else data)
        elif self._state is _BODY and self._exchange and self._intake:
            self._body(data, self._intake, self._exchange)
        elif self._state is _WAIT or self._state is _HEAD:
            self._buffer += data
            if len(self._buffer) > MOST_PIPELINED:
                self.stop_reading()
        elif self._tunnel:
            self._tunnel.from_client(data)
        elif self._state is _State.DISCARD and self._intake:
            self._discard(data, self._intake)

    def eof_received(self) -> bool:
        """The client ends its side: it is gone, unless this is a tunnel."""
        if self._tunnel:
            return self._tunnel.client_ended()
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """The connection is gone."""
        self.door.leave(self)
        if self._tunnel:
            self._tunnel.lost()
        self._leave()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self.blocked = True
        if self._tunnel:
            self._tunnel.client_slow(True)
        elif self._exchange:
            self._exchange.client_blocked()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.blocked = False
        if self._tunnel:
            self._tunnel.client_slow(False)
        elif self._exchange:
            self._exchange.client_ready()
        else:
            self._resume_soon()

    def expire(self) -> None:
        """A deadline has passed."""
        if self._state is _State.HEAD and self._buffer:
            self._refuse(answers.SLOW_HEAD)
        elif self._state is _State.BODY and self._exchange:
            self._exchange.fail(answers.SLOW_BODY)
        else:
            self.transport.close()

    # -- what the exchange does with it

    def write(self, data: bytes) -> None:
        """Bytes for the client."""
        self.transport.write(data)

    def stop_reading(self) -> None:
        """Backpressure: nothing more can be taken for now."""
        if not self._stopped:
            self._stopped = True
            self.deadline = math.inf
            self.transport.pause_reading()

    def start_reading(self) -> None:
        """More can be taken."""
        if self._stopped:
            self._stopped = False
            if self._state is _State.BODY:
                self.deadline = self.door.now() + self.door.limits.body_idle
            self.transport.resume_reading()

    def join(self, tunnel: Tunnel) -> None:
        """From now on the bytes are not HTTP any more."""
        self._state = _State.TUNNEL
        self._tunnel = tunnel
        self._exchange = None
        self.deadline = math.inf
        self.start_reading()
        early, self._buffer = self._buffer, b""
        if early:
            tunnel.from_client(early)

    def say(self, answer: Problem | Told, instance: str, *, complete: bool) -> None:
        """Answer in the sidecar's own name."""
        close = answer.close or not complete or not self._keeps_alive()
        with_body = self._prepared is None or self._prepared.method != b"HEAD"
        self.write(answer.encode(instance, close=close, with_body=with_body))
        self.exchange_over(keep_alive=not close, complete=complete)

    def cut(self) -> None:
        """End the connection so that nobody takes the response for whole."""
        self._exchange = None
        sock = self.transport.get_extra_info("socket")
        if sock is not None:  # an orderly end would be the end of a body for HTTP/1.0
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()

    def exchange_over(self, *, keep_alive: bool, complete: bool) -> None:
        """The response has been written; what comes next on this connection?"""
        self._exchange = None
        if not keep_alive:
            if complete and (self.door.closing or not self._buffer):
                self.transport.close()
            else:
                self._linger()
        elif complete:
            self._next()
        else:
            self._state = _State.DISCARD
            self.start_reading()
            self.deadline = self.door.now() + self.door.limits.body_idle

    def look(self) -> None:
        """See a client leave whose bytes are not read for now: no event tells of it."""
        if self._stopped and self._tunnel is None and ended(self.transport):
            self.transport.abort()

    def close_when_idle(self, *, new_too: bool = True) -> None:
        """Listeners are closing: an idle connection goes now, a busy one after its answer.

        ``new_too``: one that has not asked for anything yet counts as idle.
        """
        waits = self._state is _State.HEAD and not self._buffer and (new_too or self._answered)
        if waits or self._state is _State.LINGER:
            self.transport.close()

    # -- heads

    def _next(self) -> None:
        if self.door.closing:
            self.transport.close()
            return
        self._state = _HEAD
        self._answered = True
        self._prepared = None
        if self._stopped:
            self.start_reading()
        self.deadline = self.door.now() + (self.door.limits.head_time if self._buffer else IDLE)
        if self._buffer:
            self._resume_soon()

    def _resume_soon(self) -> None:
        """Go on with what was pipelined, through the loop, so that many requests do not nest."""
        asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        ready = self._state is _HEAD and not self.blocked  # what it has not read yet comes first
        if ready and self._buffer and not self.transport.is_closing():
            self.start_reading()
            self._read_head(self._buffer)

    def _read_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):
            data = EMPTY_LINES.sub(b"", data)
        limits, end = self.door.limits, data.find(b"\r\n\r\n") + 4
        if end < 4 and len(data) <= limits.head and not BARE_END.search(data):
            if data and not self._buffer:
                self.deadline = self.door.now() + limits.head_time
            self._buffer = data
            return
        self._buffer = b""
        if end > limits.head or (end < 4 and len(data) > limits.head):
            self._refuse(answers.HEAD_TOO_LARGE)
            return
        if end < 4:
            self._refuse(answers.BARE_LINE_END)
            return
        try:
            prepared, digits = self.door.prepare(data[:end])
        except MessageError as error:
            self._refuse(answers.of_message(error))
            return
        self._begin(prepared, digits, data[end:])

    def _begin(self, prepared: Prepared, digits: bytes, rest: bytes) -> None:
        self._prepared = prepared
        length = int(digits or prepared.framing.length)
        route = prepared.route
        if route is None:
            self._answer_here(prepared, rest, length)
        elif length > route.max_body:
            self._refuse(answers.BODY_TOO_LARGE)
        elif not self.door.admits():
            self._refuse(answers.TOO_MUCH)
        else:
            exchange = self.door.exchange(self, prepared, route, digits)
            self._carry(exchange, prepared, rest, length)

    def _carry(
        self, exchange: Exchange | OwnAnswer, prepared: Prepared, rest: bytes, length: int
    ) -> None:
        self._exchange = exchange
        if prepared.framing.kind is not Kind.CHUNKED and len(rest) == length:
            self._state = _WAIT
            self.deadline = math.inf
            exchange.start(Piece(rest, length) if length else NOTHING, complete=True)
            return
        intake = self._intake = intake_for(prepared, length)
        self._await_body(prepared)
        try:
            piece = intake.feed(rest) if rest else NOTHING
        except MessageError as error:
            exchange.fail(answers.of_message(error))
            return
        if intake.done:
            self._wait(intake)
        exchange.start(piece, complete=intake.done)

    def _answer_here(self, prepared: Prepared, rest: bytes, length: int) -> None:
        """No upstream is asked: what a route answers here, a refusal, or ``OPTIONS *``.

        RFC 9110 section 9.3.7.
        """
        if prepared.question is not None and self.door.admits():
            own = self.door.own_answer(self, prepared, prepared.question)
            self._carry(own, prepared, rest, length)
            return
        bodyless = prepared.framing.kind is Kind.NONE
        self._buffer = rest if bodyless else b""
        refusal = prepared.refusal if prepared.question is None else answers.TOO_MUCH
        if refusal is not None:
            self._refuse(refusal)
            return
        keep_alive = self._keeps_alive() and bodyless
        self.write(answers.NO_CONTENT + (b"\r\n" if keep_alive else b"Connection: close\r\n\r\n"))
        self.exchange_over(keep_alive=keep_alive, complete=bodyless)

    # -- bodies

    def _await_body(self, prepared: Prepared) -> None:
        self._state = _BODY
        idle = math.inf if prepared.expects else self.door.limits.body_idle
        self.deadline = self.door.now() + idle

    def _wait(self, intake: Intake) -> None:
        self._state = _WAIT
        self._buffer = intake.rest
        self.deadline = math.inf

    def _body(self, data: bytes, intake: Intake, exchange: Exchange | OwnAnswer) -> None:
        self.deadline = self.door.now() + self.door.limits.body_idle
        try:
            piece = intake.feed(data)
        except MessageError as error:
            exchange.fail(answers.of_message(error))
            return
        if intake.done:
            self._wait(intake)
        if piece.encoded:
            exchange.body(piece, complete=intake.done)

    def _discard(self, data: bytes, intake: Intake) -> None:
        """The rest of a body that nobody reads any more: it must pass before the next request."""
        self.deadline = self.door.now() + self.door.limits.body_idle
        try:
            intake.feed(data)
        except MessageError:
            self.transport.close()
            return
        if intake.done:
            self._buffer = intake.rest
            self._next()

    # -- endings

    def _keeps_alive(self) -> bool:
        prepared = self._prepared
        return prepared is not None and prepared.keep_alive and not self.door.draining

    def _refuse(self, problem: Problem) -> None:
        """Say no before there is an exchange; the body, if one follows, is not read."""
        bodyless = self._prepared is not None and self._prepared.framing.kind is Kind.NONE
        instance = answers.new_instance()
        self.door.refused(self._prepared, problem, instance)
        self.say(problem, instance, complete=bodyless)

    def _linger(self) -> None:
        """Let the last answer arrive: closing on unread bytes would reset it away."""
        self._state = _State.LINGER
        self._buffer = b""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.start_reading()
        self.deadline = self.door.now() + LINGER

    def _leave(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.client_gone()
