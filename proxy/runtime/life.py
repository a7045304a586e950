"""The life of the process: start, signals, reload, drain, end.

SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reads the configuration again.
What any of it means is the sidecar's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from proxy.clock import SystemClock
from proxy.config.model import Config
from proxy.runtime.inherited import Inherited
from proxy.runtime.kept_secrets import prefetched
from proxy.runtime.log import Log
from proxy.runtime.reload import Reloader
from proxy.runtime.sidecar import Sidecar
from proxy.version import VERSION

DONE: Final = 0
CUT: Final = 1


async def live(
    config: Config, environ: Mapping[str, str], log: Log, inherited: Sequence[Inherited] = ()
) -> int:
    """From the first socket to the last; the exit code. ``inherited``: those opened for us.

    Raises:
        ConfigurationError: something that the configuration names can't be used.
        StartError: an address can't be listened on.
    """
    asyncio.get_running_loop().set_exception_handler(log.loop_fault)
    signals, clock = Signals(), SystemClock()
    sidecar = Sidecar(
        config,
        environ=environ,
        log=log,
        clock=clock,
        end=signals.stop.set,
        inherited=inherited,
        secrets=await prefetched(config, environ, clock, log.event),
    )
    reloader = Reloader(config.path, environ, sidecar.put_to_work, log)
    signals.watch(reloader.soon)
    try:
        await sidecar.start()
        log.event("info", "start", version=VERSION, config=str(config.path))
        await signals.stop.wait()
        await reloader.close()
        return await _end(sidecar, signals, log)
    finally:
        await sidecar.close()


async def _end(sidecar: Sidecar, signals: Signals, log: Log) -> int:
    drained = asyncio.ensure_future(sidecar.drain())
    cut = asyncio.ensure_future(signals.again.wait())
    await asyncio.wait({drained, cut}, return_when=asyncio.FIRST_COMPLETED)
    cut.cancel()
    if drained.done():
        drained.result()
        log.event("info", "end")
        return DONE
    drained.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await drained
    log.event("warning", "end", "a second signal: what still ran was cut off")
    return CUT


class Signals:
    """The signals that ask the process to end."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.again = asyncio.Event()

    def watch(self, reload: Callable[[], None]) -> None:
        """React to signals from now on."""
        for name, act in (("SIGTERM", self._ask), ("SIGINT", self._ask), ("SIGHUP", reload)):
            number = getattr(signal, name, None)
            if number is not None:
                _handle(number, act)

    def _ask(self) -> None:
        (self.again if self.stop.is_set() else self.stop).set()


def _handle(number: signal.Signals, act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, act)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))
