"""The life of the process: start, signals, reload, drain, end.

SIGTERM and SIGINT drain, or end a start that is not over; a second one ends at once. SIGHUP reads
the configuration again, as does a change of its file. What any of it means is the sidecar's
business.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from proxy.clock import Clock, SystemClock
from proxy.config.model import Config
from proxy.runtime.following import Following
from proxy.runtime.inherited import Inherited
from proxy.runtime.kept_secrets import prefetched
from proxy.runtime.log import Log
from proxy.runtime.notifying import Notifier
from proxy.runtime.reader import Reader
from proxy.runtime.reload import Reloader
from proxy.runtime.sidecar import Sidecar
from proxy.runtime.watching import FileWatch, Stamp
from proxy.version import VERSION

DONE: Final = 0
CUT: Final = 1
ENDING: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True)
class Origins:
    """What a life begins with.

    Attributes:
        config: the configuration at first.
        read: the stamp of its file when it was read.
        environ: the environment variables.
        inherited: sockets that a service manager opened for us.
        notifier: tells that service manager how we are; None where none wants to know.
    """

    config: Config
    read: Stamp
    environ: Mapping[str, str]
    inherited: Sequence[Inherited] = ()
    notifier: Notifier | None = None


async def live(origins: Origins, log: Log) -> int:
    """From the first socket to the last; the exit code.

    Raises:
        ConfigurationError: something that the configuration names can't be used.
        StartError: an address can't be listened on.
    """
    asyncio.get_running_loop().set_exception_handler(log.loop_fault)
    signals = Signals()
    signals.watch()
    async with AsyncExitStack() as closing:
        whole = await _unless(signals.again, _life(origins, log, signals, closing))
        if whole:
            log.event("info", "end")
        else:
            log.event("warning", "end", "a second signal: what still ran was cut off")
    code = DONE if whole else CUT
    signals.over(code)
    return code


async def _life(origins: Origins, log: Log, signals: Signals, closing: AsyncExitStack) -> None:
    beginning = Beginning(origins, log, SystemClock(), signals, closing)
    if not await _unless(signals.stop, beginning.start()):
        log.event("info", "drain", "it was told to end before it had started")
        return
    log.event("info", "start", version=VERSION, config=str(origins.config.path))
    await signals.stop.wait()
    if origins.notifier is not None:
        origins.notifier.stopping(beginning.sidecar.longest_end)
    # A reload under way is not waited for before: who asks for the end is told at once.
    await asyncio.gather(beginning.sidecar.drain(), beginning.reloader.close())


class Beginning:
    """Puts together what lives, and starts it.

    Args:
        origins: what it begins with.
        log: where events go.
        clock: where time comes from.
        signals: what may ask for its end, and for a reload.
        closing: takes what must be closed in the end, however far the start came.

    Attributes:
        sidecar: there once the start is over.
        reloader: there once the start is over.
    """

    sidecar: Sidecar
    reloader: Reloader

    def __init__(
        self,
        origins: Origins,
        log: Log,
        clock: Clock,
        signals: Signals,
        closing: AsyncExitStack,
    ) -> None:
        self._origins = origins
        self._log = log
        self._clock = clock
        self._signals = signals
        self._closing = closing

    async def start(self) -> None:
        """Read secrets, listen, follow the files, and tell that we do."""
        origins, files = self._origins, FileWatch(self._clock)
        self.sidecar = await self._sidecar()
        self._closing.push_async_callback(self.sidecar.close)
        self.sidecar.reloader = self.reloader = self._reloader(files)
        self._closing.push_async_callback(self.reloader.close)
        self._closing.callback(files.close)
        self._signals.watch_reload(self.reloader.soon)
        await self.sidecar.start()
        self.reloader.start(origins.config, origins.read)
        files.start()
        if origins.notifier is not None:
            origins.notifier.ready(self.sidecar.snapshot)
            self._closing.callback(origins.notifier.close)

    async def _sidecar(self) -> Sidecar:
        origins, log, clock = self._origins, self._log, self._clock
        secrets = await prefetched(origins.config, origins.environ, clock, log.event)
        self._closing.push_async_callback(secrets.close)
        return Sidecar(
            origins.config,
            environ=origins.environ,
            log=log,
            clock=clock,
            end=self._signals.stop.set,
            inherited=origins.inherited,
            secrets=secrets,
        )

    def _reloader(self, files: FileWatch) -> Reloader:
        notifier = self._origins.notifier
        return Reloader(
            self._origins.config.path,
            reader=Reader(self._origins.environ, self._clock),
            following=Following(files),
            put_to_work=self.sidecar.put_to_work,
            compare=self.sidecar.compare,
            log=self._log,
            clock=self._clock,
            around=_nothing if notifier is None else notifier.reloading,
        )


def _nothing(_begins: bool) -> None:
    """Nobody wants to know of reloads."""


async def _unless(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do ``work`` to its end unless ``event`` comes first; whether it was done."""
    task, told = asyncio.ensure_future(work), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        return False
    finally:
        told.cancel()
        task.cancel()
        await asyncio.wait([task])


class Signals:
    """What signals ask of the process."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.again = asyncio.Event()

    def watch(self) -> None:
        """Heed what asks for the end from now on."""
        for number in ENDING:
            _handle(number, self._ask)

    def watch_reload(self, reload: Callable[[], None]) -> None:
        """Have ``reload`` called when a signal asks for it."""
        if hasattr(signal, "SIGHUP"):
            _handle(signal.SIGHUP, reload)

    def over(self, code: int) -> None:
        """All is closed: whatever comes while the interpreter ends changes nothing about it."""
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            return
        loop = asyncio.get_running_loop()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        for number in ENDING:
            loop.remove_signal_handler(number)
            signal.signal(number, lambda *_: os._exit(code))
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _ask(self) -> None:
        (self.again if self.stop.is_set() else self.stop).set()


def _handle(number: signal.Signals, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))
