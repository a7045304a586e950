"""The life of the process: start, signals, reload, drain, end.

SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reads the configuration again, as does
a change of its file.
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
from proxy.runtime.following import Following
from proxy.runtime.inherited import Inherited
from proxy.runtime.kept_secrets import prefetched
from proxy.runtime.log import Log
from proxy.runtime.reader import Reader
from proxy.runtime.reload import Reloader
from proxy.runtime.sidecar import Sidecar
from proxy.runtime.watching import FileWatch, Stamp
from proxy.version import VERSION

DONE: Final = 0
CUT: Final = 1


async def live(
    config: Config,
    environ: Mapping[str, str],
    log: Log,
    inherited: Sequence[Inherited] = (),
    *,
    read: Stamp,
) -> int:
    """From the first socket to the last; the exit code.

    Args:
        config: what to begin with.
        environ: the environment variables.
        log: where events go.
        inherited: sockets that were opened for us.
        read: the stamp of the file when ``config`` was read from it.

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
    files = FileWatch(clock)
    sidecar.reloader = reloader = Reloader(
        config.path,
        reader=Reader(environ, clock),
        following=Following(files),
        put_to_work=sidecar.put_to_work,
        compare=sidecar.compare,
        log=log,
        clock=clock,
    )
    signals.watch(reloader.soon)
    try:
        await sidecar.start()
        reloader.start(config, read)
        files.start()
        log.event("info", "start", version=VERSION, config=str(config.path))
        await signals.stop.wait()
        await reloader.close()
        return await _end(sidecar, signals, log)
    finally:
        files.close()
        await reloader.close()
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
