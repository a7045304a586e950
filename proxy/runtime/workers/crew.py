"""Forwarding by several processes: what is configured, lent, handed over and counted, for all.

Decides who is told what, in which order; connections are accepted here and served by whoever has
the fewest. No request ever passes through this process.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from proxy.clock import Clock
from proxy.config.model import Credential
from proxy.errors import StartError
from proxy.runtime.binding import Binding, Bound, Place
from proxy.runtime.forwarding import Counts
from proxy.runtime.log import Log
from proxy.runtime.places import data_places
from proxy.runtime.prepared import Prepared
from proxy.runtime.reading import packed
from proxy.runtime.tracing.ports import together
from proxy.runtime.workers.channel import NONSENSE
from proxy.runtime.workers.frames import Said, frame
from proxy.runtime.workers.gate import Gate
from proxy.runtime.workers.lending import Lending
from proxy.runtime.workers.member import Member
from proxy.runtime.workers.staff import Staff
from proxy.runtime.workers.sums import added

CHECKING: Final = 15.0
"""Seconds in which a worker says whether it can serve a configuration."""
COUNTING: Final = 1.0
"""Seconds in which a worker tells its totals; a slow one's last ones are shown."""
LATE: Final = 2.0
"""Seconds beyond ``drain.grace`` in which a worker tells that it has finished."""


class Crew:
    """A ``Forwarding`` by ``count`` workers."""

    def __init__(
        self,
        count: int,
        binding: Binding,
        *,
        environ: Mapping[str, str],
        log: Log,
        clock: Clock,
    ) -> None:
        self._log = log
        self._clock = clock
        self._gate = Gate(self._hand, clock, binding)
        self._lending = Lending(self._tell)
        self._staff = Staff(
            count,
            environ=environ,
            log=log,
            clock=clock,
            greet=self._greet,
            heard=self._heard,
            changed=self._look,
        )
        self._proposed: tuple[Prepared, bytes, Bound] | None = None
        self._asked: set[Member] = set()
        self._configured = b""
        self._draining = False
        self._last = 0
        self._numbers = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._means: dict[str, Callable[[Member, Said], None]] = {
            "fit": lambda member, said: member.came("fit", said),
            "unfit": self._unfit,
            "at_work": self._at_work,
            "load": lambda member, said: member.load(said),
            "totals": self._totals,
            "counted": lambda member, said: member.came(f"count {said['number']}", said),
            "finished": lambda member, said: member.came("finished", said),
            "ask": self._ask,
            "wanted": lambda _, said: self._lending.wanted(said),
        }

    # -- configuration

    async def propose(self, prepared: Prepared) -> None:
        """Bind what is new, and ask every worker whether it can serve it.

        Raises:
            StartError: an address can't be listened on, or a worker can't serve it.
        """
        bound = self._gate.bind(list(data_places(prepared.settings)))
        order = _configuration(prepared, self._staff.count)
        self._proposed = prepared, order, bound
        self._asked = set(self._staff.members)
        answers = [self._tell_one(member, order, "fit") for member in self._asked]
        if answers:
            done, _ = await asyncio.wait(answers, timeout=CHECKING)
            for said in filter(None, (answer.result() for answer in done)):
                if said["kind"] == "unfit":
                    self.withdraw()
                    raise StartError(f"a worker can't serve this: {said['why']}")

    async def change(self) -> None:
        """Serve what was proposed, from the next request on."""
        if self._proposed is None:
            return
        (prepared, order, bound), self._proposed = self._proposed, None
        first, self._configured = not self._configured, order
        # First: those who come last at a listener that goes are handed over under the old rules.
        self._gate.change(list(data_places(prepared.settings)), bound)
        self._lending.adopt(prepared.credentials, prepared.callers)
        for member in self._staff.members:
            if member not in self._asked:  # it came while the others were asked
                member.channel.send(order)
            member.channel.send(self._lending.adoption())
        self._asked = set()
        if first:
            self._staff.start()

    def withdraw(self) -> None:
        """Forget what was proposed."""
        if self._proposed is not None:
            self._gate.release(self._proposed[2])
            self._proposed = None
            self._asked = set()

    def _greet(self, member: Member) -> None:
        """Tell a new worker all that it has to know."""
        member.channel.send(self._configured)
        for terms in self._lending.terms():
            member.channel.send(terms)
        member.channel.send(self._lending.adoption())
        if self._draining:
            member.channel.send(frame({"kind": "drain"}))

    # -- connections

    def _hand(self, place: Place, sock: socket.socket) -> None:
        """Have the least busy worker serve a connection; among equals, each in turn."""
        able = [member for member in self._staff.members if member.at_work]
        if not able:
            sock.close()
            return
        self._last += 1
        turned = self._last % len(able)
        member = min(able[turned:] + able[:turned], key=lambda member: member.busy)
        member.hand(_connection(place), sock)

    def _look(self) -> None:
        """Accept while somebody can serve."""
        self._gate.accept(any(member.at_work for member in self._staff.members))

    # -- what workers say

    def _heard(self, member: Member, said: Said) -> None:
        self._means[said["kind"]](member, said)

    def _unfit(self, member: Member, said: Said) -> None:
        if member in self._asked:
            member.came("fit", said)
            return
        self._log.event("error", "worker_unfit", said["why"], pid=member.process.pid)
        member.kill()

    def _at_work(self, member: Member, _: Said) -> None:
        if not member.at_work:
            self._log.event("info", "worker", "at work", pid=member.process.pid)
        member.at_work = True
        self._look()

    def _totals(self, member: Member, said: Said) -> None:
        member.totals(said)
        self._lending.used(said["used"])

    def _ask(self, member: Member, said: Said) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(member, said))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, member: Member, said: Said) -> None:
        try:
            member.channel.send(await self._lending.answer(said))
        except NONSENSE as error:
            self._log.unexpected("worker_fault", error)
            member.kill()

    # -- the end

    def drain(self) -> None:
        """From now on every answer closes its connection."""
        self._draining = True
        self._tell(frame({"kind": "drain"}))

    async def stop_accepting(self) -> None:
        """Close the listening sockets; open connections go on."""
        self._gate.close()

    async def finished(self, grace: float) -> bool:
        """Wait until nothing is under way, at most ``grace`` seconds; whether that was so."""
        self._staff.dismiss()
        order = frame({"kind": "finish", "grace": grace})
        answers = [self._tell_one(member, order, "finished") for member in self._staff.members]
        if not answers:
            return True
        done, late = await asyncio.wait(answers, timeout=grace + LATE)
        said = [answer.result() for answer in done]
        return not late and all(one is not None and one["whole"] for one in said)

    async def close(self) -> None:
        """End everything."""
        self._gate.close()
        for task in self._tasks:
            task.cancel()
        await self._staff.close()

    # -- totals

    async def count(self) -> None:
        """Have every worker tell its totals of this moment."""
        number = next(self._numbers)
        order = frame({"kind": "count", "number": number})
        able = [member for member in self._staff.members if member.at_work]
        answers = [self._tell_one(member, order, f"count {number}") for member in able]
        if answers:
            await asyncio.wait(answers, timeout=COUNTING)

    def counts(self) -> Counts:
        """The sums of what each worker told last, and of what the dead ones did."""
        members = self._staff.members
        workers = tuple(member.status() for member in members)
        return Counts(
            routes=added([self._staff.past, *(member.routes for member in members)]),
            in_flight=sum(worker.in_flight for worker in workers),
            connections=sum(worker.connections for worker in workers),
            serving=any(member.at_work for member in members),
            workers=workers,
            deaths=self._staff.deaths,
            spans=together(self._staff.past_spans, *(member.spans for member in members)),
        )

    def _tell(self, order: bytes) -> None:
        for member in self._staff.members:
            member.channel.send(order)

    @staticmethod
    def _tell_one(member: Member, order: bytes, what: str) -> asyncio.Future[Any]:
        expected = member.expect(what)
        member.channel.send(order)
        return expected


@functools.lru_cache(maxsize=1024)
def _connection(place: Place) -> bytes:
    address = place.address
    listener = [address.host, address.port, address.path]
    return frame({"kind": "connection", "listener": listener})


def _configuration(prepared: Prepared, workers: int) -> bytes:
    """What a worker has to know of the file: of credentials the kind alone, so no secret."""
    kinds = {
        name: Credential(name, one.at, one.grant)
        for name, one in prepared.config.credentials.items()
    }
    config = replace(prepared.config, credentials=kinds, clients={}, warnings=())
    blob = packed((config, dict(prepared.settings.clients), prepared.decoy_key))
    return frame({"kind": "configure", "workers": workers}, blob)
