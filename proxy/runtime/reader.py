"""Reads configurations for a process that runs, in another one that is kept for some seconds.

What parses and checks weighs half of what the sidecar does and takes a third of a second to load:
many reloads in a row pay for it once, and afterwards it is gone again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.clock import Clock, Timer
from proxy.config.model import Config
from proxy.errors import ConfigurationError, Problem, SidecarError
from proxy.runtime.reading import load

LINGER: Final = 5.0
"""Seconds for which it is kept after it was last asked."""
MOST: Final = 250
"""Readings after which a fresh one takes over: whatever it gathers is gone with it."""
PATIENCE: Final = 30.0
"""Seconds that a reading may take: the file may lie on a disk that does not answer."""
FAREWELL: Final = 2.0
"""Seconds it has to end by itself."""
LENGTH: Final = 8
"""Bytes before each answer that say how long it is."""
CHILD: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from proxy.runtime.reading import answer_all; answer_all(sys.stdin.buffer)"
)
"""Looks for modules where we do and nowhere else: not in the working directory."""


class ReadingError(SidecarError):
    """The configuration could not be read at all; the message says why."""


class Reader:
    """Reads one configuration after the other.

    Args:
        environ: the environment variables, as they were at the start.
        clock: where time comes from.
    """

    def __init__(self, environ: Mapping[str, str], clock: Clock) -> None:
        self._environ = environ
        self._clock = clock
        self._turn = asyncio.Lock()
        self._child: asyncio.subprocess.Process | None = None
        self._asked = 0
        self._timer: Timer | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def read(self, path: Path, name: str | None = None, text: str | None = None) -> Config:
        """The configuration in ``path``; or ``text`` in its place, called ``name`` in messages.

        Raises:
            ConfigurationError: it can't be used.
            ReadingError: it can't be read now.
        """
        question = json.dumps({"path": str(path), "name": name, "text": text})
        async with self._turn:
            self._stay()
            try:
                found = await self._answer(question.encode() + b"\n")
            except OSError:  # no more processes are to be had: it is done here, for good or ill
                return await asyncio.to_thread(load, path, self._environ, name, text)
            finally:
                self._go_soon()
        if isinstance(found, Config):
            return found
        if isinstance(found, tuple) and all(isinstance(one, Problem) for one in found):
            raise ConfigurationError(found)
        raise ReadingError("the configuration can't be read: what reads it failed; try again")

    async def close(self) -> None:
        """End it, whatever it is doing."""
        self._closed = True
        self._stay()
        if self._child is not None:
            _kill(self._child)
        self._let_go()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _answer(self, question: bytes) -> object:
        """What the other process says; asked once more where it died of the first question.

        Raises:
            OSError: none can be started.
            ReadingError: none answers, or not in time.
        """
        for _ in range(2):
            if self._closed:
                break
            child = self._child or await self._begin()
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._ask(child, question)
            except TimeoutError:
                self._abandon(child)
                raise ReadingError(
                    f"the configuration can't be read: it took longer than {PATIENCE:g} s"
                ) from None
            except (OSError, asyncio.IncompleteReadError, pickle.PickleError, EOFError):
                self._abandon(child)
            except BaseException:
                self._abandon(child)
                raise
        raise ReadingError("the configuration can't be read: what reads it ended; try again")

    async def _begin(self) -> asyncio.subprocess.Process:
        self._asked = 0
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-c", CHILD, *sys.path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(self._environ),
            start_new_session=True,
        )  # fmt: skip
        return self._child

    async def _ask(self, child: asyncio.subprocess.Process, question: bytes) -> object:
        assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018 - pipes
        self._asked += 1
        child.stdin.write(question)
        await child.stdin.drain()
        length = int.from_bytes(await child.stdout.readexactly(LENGTH))
        told: object = pickle.loads(await child.stdout.readexactly(length))  # noqa: S301 - from our own child over our own pipe
        return told

    def _abandon(self, child: asyncio.subprocess.Process) -> None:
        _kill(child)
        self._let_go()

    def _stay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_soon(self) -> None:
        if self._child is None:
            return
        if self._closed or self._asked >= MOST:
            self._let_go()
        else:
            self._timer = self._clock.call_later(LINGER, self._let_go)

    def _let_go(self) -> None:
        """It ends when nobody can ask it any more."""
        self._timer = None
        child, self._child = self._child, None
        if child is not None:
            task = asyncio.get_running_loop().create_task(_ended(child))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


async def _ended(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None  # noqa: S101 - a pipe
    child.stdin.close()
    try:
        async with asyncio.timeout(FAREWELL):
            await child.wait()
    except TimeoutError:
        _kill(child)
        await child.wait()


def _kill(child: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
