"""Reads the configuration again: a good one is put to work, a bad one is reported and dropped.

One reload at a time; one that is asked for meanwhile follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from proxy.config.model import Config
from proxy.errors import ConfigurationError, SidecarError
from proxy.runtime.log import Log
from proxy.runtime.reading import read_config


class Reloader:
    """Reloads when asked.

    Args:
        path: the configuration file.
        environ: the environment variables, as they were at the start.
        put_to_work: checks a configuration and changes to it, or raises and changes nothing.
        log: where the outcome is told.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        put_to_work: Callable[[Config], Awaitable[None]],
        log: Log,
    ) -> None:
        self._path = path
        self._environ = environ
        self._put_to_work = put_to_work
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def soon(self) -> None:
        """Reload without waiting for it."""
        if self._task is not None and not self._task.done():
            self._again = True
            return
        self._task = asyncio.get_running_loop().create_task(self._rounds())

    async def close(self) -> None:
        """Wait for a reload that is under way; start no other."""
        self._again = False
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _rounds(self) -> None:
        while True:
            self._again = False
            await self._reload()
            if not self._again:
                return

    async def _reload(self) -> None:
        try:
            config = await asyncio.to_thread(read_config, self._path, self._environ)
            await self._put_to_work(config)
        except ConfigurationError as error:
            for problem in error.problems:
                self._refused(str(problem))
        except SidecarError as error:
            self._refused(str(error))
        except Exception as error:  # noqa: BLE001 - the old configuration goes on, whatever it was
            self._log.unexpected("reload_refused", error)
        else:
            self._log.event("info", "reload", "the new configuration is at work")

    def _refused(self, why: str) -> None:
        self._log.event("error", "reload_refused", f"{why}; the old configuration stays")
