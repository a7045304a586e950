"""Reads the configuration again: a good one is put to work, a bad one is reported and dropped.

One reload at a time, whoever asks: a signal, the control plane, or a file that is another than it
was. What is asked for meanwhile follows it, all together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from proxy.clock import Clock
from proxy.config.model import Config
from proxy.control.reloading import NotNowError, Outcome
from proxy.control.snapshot import Reloads
from proxy.errors import ConfigurationError, Problem, SidecarError
from proxy.runtime.differences import Differences
from proxy.runtime.following import Following, named_files, read_files
from proxy.runtime.log import Log
from proxy.runtime.reader import Reader
from proxy.runtime.watching import Stamp

MOST_SHOWN: Final = 20
"""Problems in the status; the log and the answer to whoever asked have them all."""


class Reloader:
    """Reloads when asked, and when a file has changed.

    Args:
        path: the configuration file.
        reader: what reads it.
        following: what tells that it, or a file it names, is another.
        put_to_work: changes to a configuration, or raises and changes nothing.
        compare: tells what would change, or raises where it would be refused.
        log: where the outcome is told.
        around: called with True before each reload, and with False after it.

    Attributes:
        reloads: what became of the file so far.
    """

    def __init__(
        self,
        path: Path,
        *,
        reader: Reader,
        following: Following,
        put_to_work: Callable[[Config], Awaitable[Differences]],
        compare: Callable[[Config], Differences],
        log: Log,
        clock: Clock,
        around: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._reader = reader
        self._following = following
        self._put_to_work = put_to_work
        self._compare = compare
        self._log = log
        self._clock = clock
        self._around = around
        self.reloads = Reloads(last_success=clock.wall())
        self._outcome = Outcome()
        self._task: asyncio.Task[None] | None = None
        self._asked = False
        self._changed = False
        self._waiting: list[asyncio.Future[Outcome]] = []
        self._closed = False

    def start(self, config: Config, read: Stamp) -> None:
        """Follow the files of ``config`` from now on; its own had the stamp ``read`` then."""
        self._following.begin(self._path, read, self._has_changed)
        self._following.of(read_files(config))

    def soon(self) -> None:
        """Reload without waiting for it."""
        self._asked = True
        self._begin()

    async def reload(self) -> Outcome:
        """Reload; what came of it.

        Raises:
            NotNowError: the process is on its way out.
        """
        if self._closed:
            raise NotNowError("the process is on its way out: nothing is reloaded any more")
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(outcome)
        self._begin()
        return await outcome

    async def compare(self, name: str, text: str) -> Outcome:
        """What would change with ``text`` in the file's place, called ``name`` in messages."""
        try:
            config = await self._reader.read(self._path, name, text)
            return Outcome(self._compare(config).document())
        except ConfigurationError as error:
            return Outcome(problems=error.problems)
        except SidecarError as error:
            return Outcome(problems=(str(error),))

    async def close(self) -> None:
        """Start no reload any more; wait for one that changes something already."""
        self._closed = True
        self._following.close()
        await self._reader.close()
        if self._task is not None:
            await asyncio.wait([self._task])
        for outcome in self._waiting:
            _settle(outcome, Outcome(problems=("the process is on its way out",)))

    def _has_changed(self) -> None:
        self._changed = True
        self._begin()

    def _begin(self) -> None:
        if not self._closed and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._rounds())

    async def _rounds(self) -> None:
        while not self._closed and (self._asked or self._changed or self._waiting):
            wanted = self._asked or bool(self._waiting)
            waiting, self._waiting = self._waiting, []
            self._asked = self._changed = False
            # Written anew with the same content: nothing to tell.
            if await asyncio.to_thread(self._following.look) or wanted:
                self._around(True)
                try:
                    self._outcome = await self._reload()
                finally:
                    self._around(False)
            for outcome in waiting:
                _settle(outcome, self._outcome)

    async def _reload(self) -> Outcome:
        config = None
        try:
            config = await self._reader.read(self._path)
            changes = await self._put_to_work(config)
        except ConfigurationError as error:
            # What it lacks may come yet: a volume's files are not all swapped at once.
            self._following.also(named_files(config) if config else ())
            return self._refused(error.problems)
        except SidecarError as error:
            return self._refused((str(error),))
        except Exception as error:  # noqa: BLE001 - the old configuration goes on, whatever it was
            self._log.unexpected("reload_refused", error)
            return self._count_refused((f"unexpected {type(error).__name__}; this is a bug",))
        self._following.of(read_files(config))
        return self._applied(changes)

    def _applied(self, changes: Differences) -> Outcome:
        self.reloads = Reloads(
            self.reloads.applied + 1, self.reloads.refused, last_success=self._clock.wall()
        )
        message = f"the new configuration is at work: {changes.brief()}"
        self._log.event("info", "reload", message)
        return Outcome(changes.document())

    def _refused(self, problems: tuple[Problem, ...] | tuple[str, ...]) -> Outcome:
        for one in problems:
            self._log.event("error", "reload_refused", f"{one}; the old configuration stays")
        return self._count_refused(problems)

    def _count_refused(self, problems: tuple[Problem, ...] | tuple[str, ...]) -> Outcome:
        shown = [str(one) for one in problems[:MOST_SHOWN]]
        if len(problems) > MOST_SHOWN:
            shown.append(f"and {len(problems) - MOST_SHOWN} more")
        refused = self.reloads.refused + 1
        self.reloads = replace(self.reloads, refused=refused, last_ok=False, problems=tuple(shown))
        return Outcome(problems=problems)


def _settle(outcome: asyncio.Future[Outcome], said: Outcome) -> None:
    if not outcome.done():  # nobody waits for it any more
        outcome.set_result(said)
