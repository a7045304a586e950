"""One request and its response: the credential at the moment of writing, one replay after a 401.

The fast path is synchronous: token fresh, connection idle, one write. Whatever has to
wait does so in a task of its own. Bytes are the connections', rules are ``http1``'s.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from proxy.errors import CredentialUnavailable
from proxy.http1.framing import Kind
from proxy.http1.refusal import MessageError
from proxy.plane import answers
from proxy.plane.answers import Problem
from proxy.plane.approach import Approach
from proxy.plane.faults import UpstreamError
from proxy.plane.intake import Piece
from proxy.plane.outbound import Outbound
from proxy.plane.outgoing import Outgoing
from proxy.plane.prepare import Prepared
from proxy.plane.relay import Relay, relay_for
from proxy.plane.response import PreparedResponse, hop_lines
from proxy.plane.settings import Route
from proxy.plane.totals import AccessRecord
from proxy.plane.tracing import Trace
from proxy.plane.tunnel import join
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Lender

if TYPE_CHECKING:
    from proxy.plane.inbound import Inbound
    from proxy.plane.plane import Lane, Plane

MOST_WAITING: Final = 64 << 10
"""Bytes of a body that wait for a connection or a token before the client is held back."""
UNAUTHORIZED: Final = 401
CLIENT_GONE: Final = "client_gone"


class _Phase(enum.Enum):
    WAITING = 1
    SENT = 2
    HELD = 3
    ANSWERED = 4
    OVER = 5


@dataclass(slots=True, eq=False)
class Exchange:
    """A request under way.

    Attributes:
        complete: the whole request body has come.
        to_head: the request is a HEAD.
        idle_timeout: seconds without progress before it is given up.
    """

    _plane: Plane
    _inbound: Inbound
    _prepared: Prepared
    _route: Route
    _lane: Lane
    _outgoing: Outgoing
    _started: float
    _keep_alive: bool
    idle_timeout: float
    to_head: bool
    complete: bool = False
    _phase: _Phase = _Phase.WAITING
    _approach: Approach | None = None
    _outbound: Outbound | None = None
    _lease: Lease | None = None
    _response: PreparedResponse | None = None
    _response_digits: bytes = b""
    _relay: Relay | None = None
    _status: int = 0
    _bytes_out: int = 0
    _discarding: bool = False
    _replayed: bool = False
    _task: asyncio.Task[None] | None = None
    _trace: Trace | None = None

    @classmethod
    def of(
        cls, plane: Plane, inbound: Inbound, prepared: Prepared, route: Route, digits: bytes
    ) -> Exchange:
        """A new exchange for what ``prepared`` asks for, counted as under way."""
        lane = plane.lane(route)
        plane.exchange_begun(lane)
        exchange = cls(
            plane,
            inbound,
            prepared,
            route,
            lane,
            Outgoing(prepared, digits, plane.budget, route.replay_body),
            plane.now(),
            prepared.keep_alive,
            route.idle_timeout,
            prepared.method == b"HEAD",
        )
        if plane.tracing is not None:
            secure = inbound.door.certificate is not None
            exchange._trace = plane.tracing.begin(prepared, route, secure=secure)
        return exchange

    # -- the request

    def start(self, first: Piece, *, complete: bool) -> None:
        """Begin, with what has come of the body."""
        self.complete = complete
        self._outgoing.wait(first)
        if first.size > self._route.max_body:
            self.fail(answers.BODY_TOO_LARGE)
            return
        credential = self._prepared.credential
        lease = None if credential is None else credential.current()
        if lease is not None or credential is None:
            outbound = self._lane.pool.take(self._started)
            if outbound is not None:
                self._send(outbound, lease)
                return
        self._run(self._establish())

    def body(self, piece: Piece, *, complete: bool) -> None:
        """More of the body."""
        self.complete = complete
        if self._outgoing.size + piece.size > self._route.max_body:
            self.fail(answers.BODY_TOO_LARGE)
        elif self._discarding:
            return
        elif self._outbound is None or self._phase is _Phase.HELD:
            self._outgoing.wait(piece)
            if self._outgoing.waiting > MOST_WAITING:
                self._inbound.stop_reading()
        else:
            self._outgoing.keep(piece)
            self._outbound.deadline = math.inf
            self._outbound.transport.write(piece.encoded)
            self._await_head(self._outbound)

    def _send(self, outbound: Outbound, lease: Lease | None) -> None:
        self._lease = lease
        self._outbound = outbound
        self._phase = _Phase.SENT
        message = self._outgoing.message(lease)
        if self._trace is not None:
            message = self._trace.sent(message)
        if not outbound.begin(self, message):
            self._unsent(outbound, message)
            return
        if self.complete and not outbound.blocked:
            outbound.deadline = self._plane.now() + self._route.head_timeout
        else:
            self._await_head(outbound)
        if not outbound.blocked:  # even when all has come: a client that leaves must be seen
            self._inbound.start_reading()

    def _unsent(self, outbound: Outbound, message: bytes) -> None:
        """The connection was dead before it took a byte: nothing can have been processed."""
        if not outbound.pooled:
            self.fail(answers.BROKE_OFF)
            return
        outbound.drop()
        self._outbound = None
        self._phase = _Phase.WAITING
        self._outgoing.unsend(message)
        self._run(self._establish())

    def _await_head(self, outbound: Outbound) -> None:
        """From here the head timeout runs: nothing more is sent before the upstream speaks."""
        silent = self.complete or (self._prepared.expects and not self._outgoing.size)
        if silent and self._phase is _Phase.SENT and not outbound.blocked:
            outbound.deadline = self._plane.now() + self._route.head_timeout

    # -- what has to wait

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._guarded(work))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CredentialUnavailable as error:
            self.fail(answers.of_credential(error))
        except UpstreamError as error:
            self.fail(error.problem)
        except Exception as error:  # noqa: BLE001 - the client gets an answer whatever happens
            self.fail(answers.INTERNAL)
            self._plane.report(error)

    async def _establish(self) -> None:
        self._send(*await self._way().wait())

    def _way(self) -> Approach:
        """The way to the upstream; most requests need none, all is at hand."""
        if self._approach is None:
            plane = self._plane
            self._approach = Approach(
                self._lane.pool,
                self._prepared.credential,
                plane.settings.hold,
                plane.now,
                self._lane.totals,
            )
        return self._approach

    # -- the response

    def inform(self, prepared: PreparedResponse, digits: bytes) -> None:
        """A 1xx came: pass it on, HTTP/1.0 clients excepted (RFC 9110 section 15.2)."""
        if self._lane.way_back is not None:
            prepared = self._lane.way_back.apply(prepared, self._prepared, self._lease)
        if self._prepared.minor:
            self._inbound.write(b"".join((prepared.before, digits, prepared.after, b"\r\n")))

    def respond(self, prepared: PreparedResponse, digits: bytes, rest: bytes) -> None:
        """The response's head came, and ``rest`` behind it."""
        refused, way_back = prepared.status == UNAUTHORIZED, self._lane.way_back
        if self._trace is not None:
            self._trace.answered(prepared.status)
        if way_back is not None:
            asked, lease = self._prepared, self._lease
            refused = way_back.refuses(prepared, asked, lease, renewed=self._replayed)
            prepared = way_back.apply(prepared, asked, lease)
        self._response, self._response_digits = prepared, digits
        if prepared.status == 101:
            self._switch(rest)
        elif refused and self._reject_token(rest):
            return
        else:
            self._deliver(rest)

    def _reject_token(self, rest: bytes) -> bool:
        """The 401 rule: True where the answer waits for a new token and a replay."""
        credential, lease = self._prepared.credential, self._lease
        if credential is None or lease is None or self._replayed or self._outbound is None:
            return False
        if not self._outgoing.repeatable:
            self._plane.spawn(credential.reject(lease.generation, 0.0))
            return False
        self._phase = _Phase.HELD
        self._outbound.hold()
        self._run(self._reauthorize(self._outbound, rest, credential, lease.generation))
        return True

    async def _reauthorize(
        self, refused: Outbound, rest: bytes, credential: Lender, generation: int
    ) -> None:
        renewed = await self._way().renew(credential, generation)
        if not renewed or not self._outgoing.repeatable:
            self._discarding = not self.complete or self._outgoing.waiting > 0
            self._deliver(rest + refused.take_held())
            return
        refused.drop()
        self._outbound = None
        self._replayed = True
        self._phase = _Phase.WAITING
        self._outgoing.rewind()
        await self._establish()

    def _deliver(self, rest: bytes) -> None:
        prepared, outbound = self._response, self._outbound
        if prepared is None or outbound is None:
            return
        self._outgoing.release()
        kind, length = prepared.framing
        digits = self._response_digits
        if digits and kind is Kind.LENGTH:
            length = int(digits)
        if len(rest) == length and not prepared.unframed:
            self._deliver_whole(prepared, outbound, rest)
            return
        relay = self._relay = relay_for(prepared.framing, length, chunk=self._prepared.minor > 0)
        try:
            body = relay.feed(rest) if rest else b""
        except MessageError as error:
            self.fail(Problem(502, "http_protocol_error", f"The upstream's body: {error.detail}."))
            return
        self._phase, self._status = _Phase.ANSWERED, prepared.status
        outbound.carry(relay)
        if self._inbound.blocked:
            outbound.stop_reading()
        hop = self._hop_lines(prepared)
        self._inbound.write(
            b"".join((prepared.before, self._response_digits, prepared.after, hop, b"\r\n", body))
        )
        if relay.done:
            self.body_ended(b"")
        elif outbound.lost:
            self.body_ended(relay.close() if outbound.ended else None)

    def _deliver_whole(self, prepared: PreparedResponse, outbound: Outbound, body: bytes) -> None:
        """A small response, all there: one write, and the connection is free again."""
        self._status, self._bytes_out = prepared.status, len(body)
        hop = self._hop_lines(prepared)
        parts = (prepared.before, self._response_digits, prepared.after, hop, b"\r\n", body)
        self._inbound.write(b"".join(parts))
        self._end(outbound, prepared)

    def _hop_lines(self, prepared: PreparedResponse) -> bytes:
        request = self._prepared
        plain = not (prepared.unframed or prepared.coded or request.expects)
        if plain and self._keep_alive and request.minor and not self._inbound.door.draining:
            return b""
        self._keep_alive = self._keep_alive and not self._must_close(prepared)
        return hop_lines(prepared, self._prepared.minor, keep_alive=self._keep_alive)

    def _must_close(self, prepared: PreparedResponse) -> bool:
        """Whether this answer ends the client's connection, whatever the client wished."""
        request = self._prepared
        unread = request.expects and not self._outgoing.size and not self.complete
        return self._inbound.door.draining or unread or (prepared.unframed and not request.minor)

    def pass_on(self, data: bytes | memoryview) -> bool:
        """Body bytes for the client; False where they are still being written from ``data``."""
        transport = self._inbound.transport
        transport.write(data)
        return not transport.get_write_buffer_size()

    def body_ended(self, last: bytes | None) -> None:
        """The response is complete, or (None) broke off where it must not."""
        outbound, response = self._outbound, self._response
        if last is None or outbound is None or response is None:
            self.fail(answers.INCOMPLETE)
            return
        if last:
            self._inbound.write(last)
        self._end(outbound, response)

    def _end(self, outbound: Outbound, response: PreparedResponse) -> None:
        """The response is whole: the connections go their ways."""
        whole = self.complete and not self._discarding
        reusable = response.keep_alive and whole and response.framing.kind is not Kind.CLOSE
        self._outbound = None
        now = self._plane.now()
        outbound.settle(reusable=reusable, idle=response.idle)
        self._over(now=now)
        self._inbound.exchange_over(keep_alive=self._keep_alive, complete=self.complete)

    def _switch(self, rest: bytes) -> None:
        prepared, outbound = self._response, self._outbound
        if prepared is None or outbound is None or not self._prepared.upgrade:
            self.fail(answers.UNASKED_SWITCH)
            return
        self._phase, self._status, self._outbound = _Phase.ANSWERED, prepared.status, None
        head = (prepared.before, self._response_digits, prepared.after, b"\r\n")
        self._inbound.write(b"".join(head))
        join(self._inbound, outbound, rest, self._tunnel_over)

    def _tunnel_over(self, sent_up: int, sent_down: int) -> None:
        self._outgoing.size, self._bytes_out = sent_up, sent_down
        self._over()

    # -- backpressure

    def client_blocked(self) -> None:
        """The client does not keep up."""
        if self._outbound and self._phase is _Phase.ANSWERED:
            self._outbound.stop_reading()

    def client_ready(self) -> None:
        """The client has caught up."""
        if self._outbound and self._phase is _Phase.ANSWERED:
            self._outbound.start_reading()

    def upstream_blocked(self) -> None:
        """The upstream does not keep up."""
        self._inbound.stop_reading()

    def upstream_ready(self) -> None:
        """The upstream has caught up."""
        self._inbound.start_reading()
        if self._outbound:
            self._await_head(self._outbound)

    # -- the end

    def fail(self, problem: Problem) -> None:
        """It can't be completed: a problem document, or, where bytes have gone out, the cut."""
        if self._phase is _Phase.OVER:
            return
        answered = self._phase is _Phase.ANSWERED
        instance = None if answered else answers.new_instance()
        self._abandon()
        self._lane.totals.refuse(problem.reason)
        self._status = self._status or problem.status
        self._over(problem.error, instance)
        if instance is None:
            self._inbound.cut()
        else:
            self._inbound.say(problem, instance, complete=self.complete)

    def client_gone(self) -> None:
        """The client left: nobody waits for the upstream any more."""
        if self._phase is not _Phase.OVER:
            self._abandon()
            self._over(CLIENT_GONE)

    def _abandon(self) -> None:
        if self._outbound:
            self._outbound.drop()
            self._outbound = None
        if self._task and self._task is not asyncio.current_task():
            self._task.cancel()

    def _over(
        self, error: str | None = None, instance: str | None = None, now: float | None = None
    ) -> None:
        self._phase = _Phase.OVER
        self._outgoing.release()
        prepared, route = self._prepared, self._route
        record = AccessRecord(
            prepared.method.decode("ascii"),
            self._lane.label,
            self._status,
            self._outgoing.size,
            self._relay.taken if self._relay else self._bytes_out,
            (now or self._plane.now()) - self._started,
            prepared.client,
            route.credential,
            self._lease.generation if self._lease else None,
            error,
            instance,
            self._replayed,
            prepared.request_id,
        )
        if self._trace is not None:
            self._trace.finished(record)
        self._plane.exchange_over(self._lane, record)
