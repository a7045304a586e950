"""One listener as its connections see it: who gets in, what is served behind it.

The configuration behind a door is swapped whole; requests under way keep what they had.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING, Final

from proxy.plane import answers
from proxy.plane.answers import Problem
from proxy.plane.exchange import Exchange
from proxy.plane.guard import Guard
from proxy.plane.inbound import Inbound
from proxy.plane.local_path import Question
from proxy.plane.own_answer import OwnAnswer
from proxy.plane.peer import peer_uid
from proxy.plane.prepare import Prepared, Preparer
from proxy.plane.settings import Address, Limits, Route
from proxy.plane.totals import AccessRecord

if TYPE_CHECKING:
    from proxy.plane.plane import Plane


LATECOMERS: Final = 1.0
"""Seconds in which requests at a door that was retired may still begin."""


class Door:
    """The way in at one address."""

    def __init__(self, plane: Plane, address: Address) -> None:
        self._plane = plane
        self._retired = self._late = False
        self._empty = asyncio.Event()
        self.address = address
        self.now = plane.now
        self.furnish()

    def furnish(self) -> None:
        """Take over the plane's present configuration."""
        plane, settings = self._plane, self._plane.settings
        hosts = {*settings.hosts, *(route.host for route in settings.routes if route.host)}
        guard = Guard(self.address, hosts=hosts, origins=settings.origins, clients=settings.clients)
        own = None if self.address in settings.listeners else self.address
        self.limits: Limits = settings.limits
        self.prepare = Preparer(
            own,
            guard,
            plane.table,
            plane.credentials,
            settings.limits,
            callers=plane.callers,
            secure=self.certificate is not None,
        ).prepare

    def retire(self) -> None:
        """Nobody listens here any more: who is served stays so, by what was configured then."""
        self._retired = self._late = True
        # Who has just come, or is about to ask on a kept connection, is still answered.
        self._plane.later(LATECOMERS, self._last_call)

    def _last_call(self) -> None:
        self._late = False
        self.close_idle()
        self._look_whether_empty()

    async def emptied(self) -> None:
        """Wait until the last connection to a door that was retired has gone."""
        await self._empty.wait()

    def _look_whether_empty(self) -> None:
        if (
            self._retired
            and not self._late
            and not any(inbound.door is self for inbound in self._plane.inbounds)
        ):
            self._empty.set()

    @property
    def certificate(self) -> ssl.SSLContext | None:
        """What this listener shows at the moment; None where it speaks plain HTTP."""
        return self._plane.settings.tls.get(self.address)

    @property
    def draining(self) -> bool:
        """Whether connections are to be closed after their answers."""
        return self._plane.draining or self._retired

    def enter(self, inbound: Inbound, sock: socket.socket | None) -> Problem | None:
        """A connection has come: why it may not stay, or None."""
        self._plane.inbounds.add(inbound)
        if len(self._plane.inbounds) > self.limits.connections:
            return answers.TOO_MANY_CONNECTIONS
        if self.address.path and sock is not None and not self._knows(sock):
            return answers.FOREIGN_PEER
        return None

    def _knows(self, sock: socket.socket) -> bool:
        uid = peer_uid(sock)
        return uid is None or uid == os.getuid() or uid in self._plane.settings.peer_uids

    def close_idle(self) -> None:
        """Let idle connections go; busy ones follow after their answers."""
        for inbound in [i for i in self._plane.inbounds if i.door is self]:
            inbound.close_when_idle()

    def close_all(self) -> None:
        """Cut what is left."""
        for inbound in [i for i in self._plane.inbounds if i.door is self]:
            inbound.transport.abort()

    def leave(self, inbound: Inbound) -> None:
        """A connection is gone."""
        self._plane.inbounds.discard(inbound)
        self._plane.look_whether_finished()
        if self._retired:
            self._look_whether_empty()

    @property
    def closing(self) -> bool:
        """Whether nothing new is served here."""
        return self._plane.closing or self._retired

    def admits(self) -> bool:
        """Whether one more request may be under way."""
        return self._plane.in_flight < self.limits.in_flight

    def exchange(
        self, inbound: Inbound, prepared: Prepared, route: Route, digits: bytes
    ) -> Exchange:
        """A new exchange on this connection."""
        return Exchange.of(self._plane, inbound, prepared, route, digits)

    def own_answer(self, inbound: Inbound, prepared: Prepared, question: Question) -> OwnAnswer:
        """A request on this connection that is answered here."""
        return OwnAnswer.of(self._plane, inbound, prepared, question)

    def refused(self, prepared: Prepared | None, problem: Problem, instance: str) -> None:
        """Tell of a request that never became an exchange."""
        method = prepared.method.decode("ascii") if prepared else "-"
        label = prepared.route.label if prepared and prepared.route else None
        record = AccessRecord(
            method, label, problem.status, 0, 0, 0.0, error=problem.error, instance=instance
        )
        record.request_id = prepared.request_id if prepared else None
        self._plane.refused(record, problem.reason)
