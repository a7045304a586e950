"""A request that is answered here: its small body read whole, the answer written, both counted.

Stands where an exchange stands, for the client's connection; no upstream is involved.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from proxy.errors import CredentialUnavailable
from proxy.http1.framing import Kind
from proxy.plane import answers
from proxy.plane.answers import Problem
from proxy.plane.intake import Piece
from proxy.plane.local_path import Question
from proxy.plane.totals import AccessRecord
from proxy.plane.waiting import waiting
from proxy.tokens.ports import Lender

if TYPE_CHECKING:
    from proxy.plane.inbound import Inbound
    from proxy.plane.plane import Lane, Plane
    from proxy.plane.prepare import Prepared

MOST: Final = 64 << 10
"""Bytes of a body: a login is small."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
UNCOUNTED: Final = Problem(
    411,
    "http_request_error",
    "What is answered here needs a Content-Length.",
    close=True,
    reason="malformed",
)
TOO_LARGE: Final = Problem(
    413,
    "http_request_error",
    "The body is too large for what is answered here.",
    close=True,
    reason="body_too_large",
)
CLIENT_GONE: Final = "client_gone"


@dataclass(slots=True, eq=False)
class OwnAnswer:
    """One such request under way."""

    _plane: Plane
    _inbound: Inbound
    _prepared: Prepared
    _question: Question
    _lane: Lane
    _started: float
    _body: bytearray = field(default_factory=bytearray)
    _complete: bool = False
    _over: bool = False
    _task: asyncio.Task[None] | None = None

    @classmethod
    def of(
        cls, plane: Plane, inbound: Inbound, prepared: Prepared, question: Question
    ) -> OwnAnswer:
        """A new one, counted as under way."""
        lane = plane.lane(question.route)
        plane.exchange_begun(lane)
        return cls(plane, inbound, prepared, question, lane, plane.now())

    def start(self, first: Piece, *, complete: bool) -> None:
        """Begin, with what has come of the body."""
        if self._prepared.framing.kind is Kind.CHUNKED:
            self.fail(UNCOUNTED)
            return
        if self._prepared.expects and not complete:
            self._inbound.write(CONTINUE)
        self.body(first, complete=complete)

    def body(self, piece: Piece, *, complete: bool) -> None:
        """More of the body."""
        self._complete = complete
        self._body += piece.encoded
        if len(self._body) > MOST:
            self.fail(TOO_LARGE)
        elif complete:
            self._answer()

    def _answer(self) -> None:
        credential = self._question.credential
        if credential is None or not self._question.place.wants_token:
            self._tell(None)
            return
        lease = credential.current()
        if lease is not None:
            self._tell(lease.value)
        else:
            self._task = asyncio.get_running_loop().create_task(self._acquire(credential))

    async def _acquire(self, credential: Lender) -> None:
        try:
            with waiting(self._lane.totals, self._plane.now):
                lease = await credential.acquire(self._plane.settings.hold)
        except CredentialUnavailable as error:
            self.fail(answers.of_credential(error))
        except Exception as error:  # noqa: BLE001 - the client gets an answer whatever happens
            self._bug(error)
        else:
            self._tell(lease.value)

    def _tell(self, token: bytes | None) -> None:
        question = self._question
        asked = replace(question.asked, body=bytes(self._body), token=token)
        try:
            told = question.place.answer(asked)
        except Exception as error:  # noqa: BLE001 - the client gets an answer whatever happens
            self._bug(error)
            return
        self._end(told.status, len(told.body), client=told.client or asked.client)
        self._inbound.say(told, "", complete=True)

    def _bug(self, error: Exception) -> None:
        self.fail(answers.INTERNAL)
        self._plane.report(error)

    def fail(self, problem: Problem) -> None:
        """It can't be answered: a problem document."""
        if self._over:
            return
        instance = answers.new_instance()
        self._lane.totals.refuse(problem.reason)
        self._end(problem.status, 0, error=problem.error, instance=instance)
        self._inbound.say(problem, instance, complete=self._complete)

    # -- the client's connection

    def client_gone(self) -> None:
        """The client left."""
        if not self._over:
            if self._task is not None:
                self._task.cancel()
            self._end(0, 0, error=CLIENT_GONE)

    def client_blocked(self) -> None:
        """The client does not keep up; what it gets is small and already written."""

    def client_ready(self) -> None:
        """The client has caught up."""

    def _end(
        self,
        status: int,
        size: int,
        *,
        client: str | None = None,
        error: str | None = None,
        instance: str | None = None,
    ) -> None:
        self._over = True
        record = AccessRecord(
            self._prepared.method.decode("ascii"),
            self._lane.label,
            status,
            len(self._body),
            size,
            self._plane.now() - self._started,
            client,
            self._question.route.credential,
            error=error,
            instance=instance,
            request_id=self._prepared.request_id,
        )
        self._plane.exchange_over(self._lane, record)
