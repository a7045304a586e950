"""Forwarding by a plane in this very process, as long as one is enough."""

from __future__ import annotations

import functools

from proxy.clock import Clock
from proxy.errors import StartError
from proxy.plane.plane import Plane
from proxy.plane.tracing import Tracing
from proxy.runtime.access import AccessLog
from proxy.runtime.binding import DATA, Binding, Bound, Place
from proxy.runtime.forwarding import Counts
from proxy.runtime.listeners import Listeners, Serve
from proxy.runtime.log import Log
from proxy.runtime.places import data_places
from proxy.runtime.prepared import Prepared


class OwnPlane:
    """A plane with its listeners and its access log; ``tracing`` follows its requests."""

    def __init__(
        self,
        prepared: Prepared,
        binding: Binding,
        *,
        log: Log,
        clock: Clock,
        tracing: Tracing | None = None,
    ) -> None:
        self._access = AccessLog(log.write, clock)
        self._listeners = Listeners(binding)
        self._bound: Bound = {}
        self._proposed = prepared
        self._started = False
        self._plane = Plane(
            prepared.settings,
            prepared.credentials,
            clock,
            self._access,
            functools.partial(log.unexpected, "plane_fault"),
            callers=prepared.callers,
            tracing=tracing,
        )

    async def propose(self, prepared: Prepared) -> None:
        """Bind what is new.

        Raises:
            StartError: an address can't be listened on.
        """
        self._refuse_switch(prepared)
        self._bound = self._listeners.bind(self._places(prepared))
        self._proposed = prepared

    async def change(self) -> None:
        """Serve what was proposed, from the next request on."""
        prepared, bound = self._proposed, self._bound
        self._bound = {}
        self._access.obey(prepared.config.log)
        self._plane.swap(prepared.settings, prepared.credentials, prepared.callers)
        await self._listeners.change(self._places(prepared), bound)
        if not self._started:
            self._started = True
            self._plane.start()

    def _refuse_switch(self, prepared: Prepared) -> None:
        """A socket that listens keeps to TLS, or to plain HTTP."""
        before, after = self._plane.settings.tls, prepared.settings.tls
        wanted = {place.address for place in data_places(prepared.settings)}
        for place in self._listeners.places():
            at = place.address
            if at in wanted and (at in before) != (at in after):
                raise StartError(f"{place.key}: TLS on {at} changes with the next start only")

    def withdraw(self) -> None:
        """Forget what was proposed."""
        self._listeners.release(self._bound)
        self._bound = {}

    def drain(self) -> None:
        """From now on every answer closes its connection."""
        self._plane.drain()

    async def stop_accepting(self) -> None:
        """Close the listening sockets; open connections go on."""
        await self._listeners.stop_accepting(DATA)

    async def finished(self, grace: float) -> bool:
        """Wait until nothing is under way, at most ``grace`` seconds; whether that was so."""
        return await self._plane.finished(grace)

    async def close(self) -> None:
        """End everything."""
        await self._listeners.close()
        await self._plane.close()
        self._access.flush()

    async def count(self) -> None:
        """Nothing to do: the plane counts here."""

    def counts(self) -> Counts:
        """What was forwarded so far, and what is under way."""
        plane = self._plane
        return Counts(plane.totals, plane.in_flight, len(plane.inbounds))

    def _places(self, prepared: Prepared) -> dict[Place, Serve]:
        return {
            place: functools.partial(self._plane.server, place.address)
            for place in data_places(prepared.settings)
        }
