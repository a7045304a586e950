"""One connection to an upstream: reads responses off it and keeps what is wrong with it to itself.

Knows whose exchange it serves, nothing of routes or credentials. What it can't read
safely becomes an error of the exchange, and the connection is never used again.
"""

from __future__ import annotations

import asyncio
import enum
import math
import ssl
from typing import TYPE_CHECKING, Final, cast

from proxy.http1.refusal import MessageError
from proxy.plane.answers import BROKE_OFF, NO_ANSWER_IN_TIME, Problem
from proxy.plane.ending import in_order
from proxy.plane.faults import of_tls
from proxy.plane.relay import Counted, Relay
from proxy.plane.tunnel import Tunnel
from proxy.plane.wiring import wired

if TYPE_CHECKING:
    from proxy.plane.exchange import Exchange
    from proxy.plane.pool import Pool

MOST_INFORMATIONAL: Final = 32
"""1xx responses to one request; more than this is an upstream gone mad."""


class _State(enum.Enum):
    IDLE = 1
    HEAD = 2
    HELD = 3
    BODY = 4
    TUNNEL = 5


# enum members by their bare names: the hot path compares with them many times a request
_IDLE, _HEAD, _BODY = _State.IDLE, _State.HEAD, _State.BODY


class Outbound(asyncio.BufferedProtocol):
    """A pooled upstream connection.

    Attributes:
        lost: the connection is gone.
        ended: the upstream ended its side in good order.
        deadline: monotonic seconds at which the sweep calls ``expire``.
        rests_since: monotonic seconds at which the pool got it back.
        blocked: the upstream does not take more bytes for now.
    """

    __slots__ = (
        "_exchange",
        "_head",
        "_informational",
        "_pool",
        "_relay",
        "_state",
        "_stopped",
        "_tunnel",
        "blocked",
        "deadline",
        "ended",
        "lost",
        "rests_since",
        "transport",
    )

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._exchange: Exchange | None = None
        self._state = _State.IDLE
        self._head = b""
        self._informational = 0
        self._relay: Relay | None = None
        self._stopped = False
        self._tunnel: Tunnel | None = None
        self.blocked = False
        self.lost = False
        self.ended = False
        self.rests_since = -math.inf
        self.deadline = math.inf
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)

    # -- what the exchange does with it

    def begin(self, exchange: Exchange, message: bytes) -> bool:
        """Send the first bytes of a request and wait for its response.

        False where the connection was dead already and took nothing of it: a first write that
        fails at once has handed no byte to the kernel.
        """
        self._exchange = exchange
        self._state = _HEAD
        self._informational = 0
        self.deadline = math.inf
        self.transport.write(message)
        return not self.transport.is_closing()

    def hold(self) -> None:
        """Stop reading: the response that began may never be needed."""
        self._state = _State.HELD
        self.stop_reading()

    def carry(self, relay: Relay) -> None:
        """Pass the body on through ``relay`` from now on."""
        self._relay = relay
        self._state = _State.BODY
        self.start_reading()
        self._progress()

    def join(self, tunnel: Tunnel) -> None:
        """From now on the bytes are not HTTP any more."""
        self._state = _State.TUNNEL
        self._tunnel = tunnel
        self._exchange = None
        self.deadline = math.inf

    @property
    def pooled(self) -> bool:
        """Whether it has served a request before."""
        return self.rests_since > -math.inf

    def settle(self, *, reusable: bool, idle: float | None) -> None:
        """The response is complete: back into the pool, or away."""
        relay, self._relay, self._exchange = self._relay, None, None
        self._state = _IDLE
        if self._stopped:
            self.start_reading()
        if reusable and not (relay and relay.excess) and not self.blocked:
            self._pool.put(self, idle)
        else:
            self.drop()

    def drop(self) -> None:
        """Close at once; nobody wants what may still come."""
        self._exchange = None
        self.deadline = math.inf
        self.transport.abort()

    def stop_reading(self) -> None:
        """Backpressure: the client does not keep up."""
        if not self._stopped:
            self._stopped = True
            self.transport.pause_reading()

    def start_reading(self) -> None:
        """The client has caught up."""
        if self._stopped:
            self._stopped = False
            self.transport.resume_reading()

    @property
    def usable(self) -> bool:
        """Whether it may serve a request now."""
        return self._state is _IDLE and not self.transport.is_closing()

    # -- what the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection: no delay for small writes, no buffering beyond the socket's."""
        self.transport, _ = wired(transport)
        self._pool.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the loop's signature
        """Where the next bytes go."""
        return self._pool.buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        view = self._pool.buffer.view[:nbytes]
        if self._state is _BODY:
            self._body(view)
        elif self._state is _HEAD:
            self._read_head(bytes(view))
        elif self._state is _State.HELD:
            self._head += bytes(view)
        elif self._tunnel:
            self._tunnel.from_upstream(bytes(view))
        else:
            self.drop()  # nobody asked for it: it must never answer the next request

    def eof_received(self) -> bool:
        """The upstream ends its side; inside a tunnel the other side stays open."""
        self.ended = in_order(self.transport)
        return self._tunnel is not None and self._tunnel.upstream_ended()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._pool.closed(self)
        self.lost = True
        exchange, self._exchange = self._exchange, None
        if self._tunnel:
            self._tunnel.lost()
        elif exchange is None or self._state is _State.HELD:
            return
        elif self._state is _State.BODY and exc is None and self._relay:
            exchange.body_ended(self._relay.close() if self.ended else None)
        elif isinstance(exc, ssl.SSLError):
            exchange.fail(of_tls(exc, self._pool.upstream.authority))
        else:
            exchange.fail(BROKE_OFF)

    def pause_writing(self) -> None:
        """The upstream does not keep up."""
        self.blocked = True
        if self._tunnel:
            self._tunnel.upstream_slow(True)
        elif self._exchange:
            self.deadline = self._pool.now() + self._exchange.idle_timeout
            self._exchange.upstream_blocked()

    def resume_writing(self) -> None:
        """The upstream has caught up."""
        self.blocked = False
        if self._tunnel:
            self._tunnel.upstream_slow(False)
        elif self._exchange:
            self.deadline = math.inf
            self._exchange.upstream_ready()

    def expire(self) -> None:
        """A deadline has passed: idle too long, no head in time, a body that stalls."""
        if self._exchange is None:
            self.drop()
        else:
            self._exchange.fail(NO_ANSWER_IN_TIME)

    # -- reading

    def _progress(self) -> None:
        if self._exchange:
            self.deadline = self._pool.now() + self._exchange.idle_timeout

    def _read_head(self, received: bytes) -> None:
        rest, self._head = self._head + received if self._head else received, b""
        exchange = self._exchange
        while exchange is not None and self._state is _HEAD:
            end = rest.find(b"\r\n\r\n") + 4
            if end < 4 or end > self._pool.most_head:
                self._head = rest
                if len(rest) > self._pool.most_head:
                    self._reject("its response head is larger than limits.head")
                return
            raw, rest = rest[:end], rest[end:]
            self._one_head(exchange, raw, rest)
            exchange = self._exchange

    def _one_head(self, exchange: Exchange, raw: bytes, rest: bytes) -> None:
        try:
            prepared, digits = self._pool.preparer.prepare(raw, to_head=exchange.to_head)
        except MessageError as error:
            self._reject(error.detail)
            return
        if prepared.status >= 200 or prepared.status == 101:
            exchange.respond(prepared, digits, rest)
            return
        self._informational += 1
        if self._informational > MOST_INFORMATIONAL:
            self._reject("it sent too many informational responses")
            return
        exchange.inform(prepared, digits)

    def take_held(self) -> bytes:
        """What came while the response was held."""
        held, self._head = self._head, b""
        return held

    def _body(self, view: memoryview) -> None:
        relay, exchange = self._relay, self._exchange
        if relay is None or exchange is None:
            self.drop()
            return
        self._progress()
        if isinstance(relay, Counted) and relay.skip(len(view)):
            if not exchange.pass_on(view):
                self._pool.buffer.replace()
        else:
            try:
                encoded = relay.feed(bytes(view))
            except MessageError as error:
                self._reject(error.detail)
                return
            exchange.pass_on(encoded)
        if relay.done:
            exchange.body_ended(b"")

    def _reject(self, why: str) -> None:
        exchange = self._exchange
        self.drop()
        if exchange:
            text = f"The upstream's answer can't be trusted: {why}."
            exchange.fail(Problem(502, "http_protocol_error", text))
