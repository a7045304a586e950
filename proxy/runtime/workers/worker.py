"""A worker: a plane on connections that the supervisor accepted, with tokens it lends.

Does what it is told, in the order it is told; asks no provider and reads no secret. When the
supervisor is gone, so is it.
"""

from __future__ import annotations

import asyncio
import functools
import pickle
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final

from proxy.clock import Clock
from proxy.config.model import Config
from proxy.errors import SidecarError
from proxy.plane.certificates import GOODBYE, HANDSHAKE
from proxy.plane.door import Door
from proxy.plane.inbound import Inbound
from proxy.plane.plane import Plane
from proxy.plane.settings import Address, Limits, PlaneSettings
from proxy.runtime.access import AccessLog
from proxy.runtime.decoys import answers
from proxy.runtime.log import Log
from proxy.runtime.tls import TlsContexts
from proxy.runtime.tracing.ports import Followed
from proxy.runtime.tracing.switch import turned_on
from proxy.runtime.translate import plane_settings
from proxy.runtime.workers import words
from proxy.runtime.workers.asking import Asking, RemoteOwner
from proxy.runtime.workers.channel import Channel
from proxy.runtime.workers.frames import Said, frame
from proxy.runtime.workers.remote_callers import RemoteCallers
from proxy.runtime.workers.report import Report
from proxy.tokens.borrowed import BorrowedCredential

REPORT: Final = 0.25
"""Seconds between two looks at what changed here."""


class Worker:
    """One process's share of the data plane."""

    def __init__(
        self, sock: socket.socket, *, environ: Mapping[str, str], log: Log, clock: Clock
    ) -> None:
        self._environ = environ
        self._log = log
        self._clock = clock
        self._contexts = TlsContexts()
        self._access = AccessLog(log.write, clock)
        self._gone = asyncio.Event()
        self._channel = Channel(sock, self._heard, self._gone.set)
        self._asking = Asking(self._channel.send)
        self._lent: dict[int, BorrowedCredential] = {}
        self._callers: dict[int, RemoteCallers] = {}
        self._next: tuple[Config, PlaneSettings] | None = None
        self._plane: Plane | None = None
        self._following: Followed | None = None
        self._listeners: frozenset[Address] = frozenset()
        self._report = Report(self._channel.send, self._lent)
        self._tasks: set[asyncio.Task[None]] = set()
        self._does: dict[str, Callable[[Said, bytes], None]] = {
            "configure": self._configure,
            "lend": self._lend,
            "adopt": self._adopt,
            "connection": self._connection,
            "answer": lambda said, _: self._asking.answered(said),
            "count": self._count,
            "drain": self._drain,
            "finish": self._finish,
        }

    async def live(self) -> None:
        """Work until the supervisor closes the channel."""
        ticking = asyncio.create_task(self._tick())
        await self._gone.wait()
        ticking.cancel()
        for task in self._tasks:
            task.cancel()
        if self._plane is not None:
            await self._plane.close()
        self._access.flush()
        if self._following is not None:
            await asyncio.to_thread(self._following.close)

    def _heard(self, said: Said, blob: bytes) -> None:
        self._does[said["kind"]](said, blob)

    # -- configuration

    def _configure(self, said: Said, blob: bytes) -> None:
        """Make everything that can fail, and say whether it did."""
        config, keys, signed_with = pickle.loads(blob)  # noqa: S301 - from our own supervisor
        try:
            given_out = answers(signed_with, keys, self._clock.wall)
            settings = plane_settings(config, self._contexts, keys, self._environ, given_out)
        except SidecarError as error:
            self._channel.send(frame({"kind": "unfit", "why": str(error)}))
            return
        limits = share(settings.limits, said["workers"])
        self._next = config, replace(settings, limits=limits)
        self._channel.send(frame({"kind": "fit"}))

    def _lend(self, said: Said, _: bytes) -> None:
        key = said["credential"]
        if key not in self._lent:
            self._lent[key] = BorrowedCredential(RemoteOwner(key, self._asking), self._clock)
        self._lent[key].agree(words.terms(said["terms"]))

    def _adopt(self, said: Said, _: bytes) -> None:
        """Serve by what was configured last."""
        if self._next is None:
            return
        config, settings = self._next
        lenders = {name: self._lent[key] for name, key in said["credentials"].items()}
        callers = self._adopt_callers(said["callers"])
        self._log.set(config.log.format, config.log.level)
        self._access.obey(config.log)
        if self._plane is None:
            fault = functools.partial(self._log.unexpected, "plane_fault")
            self._following = turned_on(config.tracing, self._environ, self._log)
            self._plane = Plane(
                settings,
                lenders,
                self._clock,
                self._access,
                fault,
                callers=callers,
                tracing=None if self._following is None else self._following.requests,
            )
            self._plane.start()
            self._report.plane = self._plane
            self._report.spans = None if self._following is None else self._following.spans
        else:
            self._plane.swap(settings, lenders, callers)
        self._listeners = frozenset(self._plane.listeners())
        kept = set(said["credentials"].values())
        for key in [key for key in self._lent if key not in kept]:
            del self._lent[key]
        self._channel.send(frame({"kind": "at_work"}))

    def _adopt_callers(self, keys: Mapping[str, int]) -> dict[str, RemoteCallers]:
        before = self._callers
        self._callers = {
            key: before.get(key) or RemoteCallers(key, self._asking, self._clock)
            for key in keys.values()
        }
        return {name: self._callers[key] for name, key in keys.items()}

    # -- connections

    def _connection(self, said: Said, _: bytes) -> None:
        """Serve a connection that was accepted at one of our addresses."""
        sock = self._channel.carried()
        self._report.taken += 1
        listener = Address(*said["listener"])
        if self._plane is None or listener not in self._listeners:
            sock.close()
            return
        self._spawn(self._serve(self._plane.door(listener), sock))

    async def _serve(self, door: Door, sock: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Inbound(door),
                sock,
                ssl=door.certificate,
                ssl_handshake_timeout=HANDSHAKE if door.certificate else None,
                ssl_shutdown_timeout=GOODBYE if door.certificate else None,
            )
        except (OSError, ssl.SSLError):
            sock.close()  # the client left, or does not speak TLS

    # -- the end

    def _drain(self, _said: Said, _blob: bytes) -> None:
        if self._plane is not None:
            self._plane.drain()

    def _finish(self, said: Said, _: bytes) -> None:
        self._spawn(self._finished(said["grace"]))

    async def _finished(self, grace: float) -> None:
        whole = self._plane is None or await self._plane.finished(grace)
        self._access.flush()
        self._report.whole()
        self._channel.send(frame({"kind": "finished", "whole": whole}))

    # -- what is told

    def _count(self, said: Said, _: bytes) -> None:
        self._report.whole()
        self._channel.send(frame({"kind": "counted", "number": said["number"]}))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(REPORT)
            self._report.changes()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def share(limits: Limits, workers: int) -> Limits:
    """One worker's part of limits that hold for all of them together."""
    return replace(
        limits,
        connections=-(-limits.connections // workers),
        in_flight=-(-limits.in_flight // workers),
        replay_budget=limits.replay_budget // workers,
    )
