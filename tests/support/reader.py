"""A reader of a quick start, who does what it says with an own provider, API and ports.

Runs every block as it stands, but for the addresses of the page's examples and its ports: those
are replaced by the reader's own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.support.process import PROGRAM, environment, until
from tests.support.readme import Step, printed, steps

LONGEST = 180.0


@dataclass
class Reader:
    """``async with Reader(...) as reader: await reader.follow(page)``; ends what was started.

    Attributes:
        home: the directory that the reader works in, and the home.
        own: what the page's examples say → what this reader puts there.
        values: of the variables that the page leaves to its readers.
        out: what the last commands printed.
    """

    home: Path
    own: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    out: str = ""
    _environ: dict[str, str] = field(default_factory=dict)
    _started: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        programs = self.home / "programs"
        programs.mkdir()
        self._script(programs / "token-sidecar", " ".join(PROGRAM) + ' "$@"')
        self._script(programs / "browser", 'curl --silent --location --output /dev/null "$1"')
        self._script(programs / "python", f'{sys.executable} "$@"')
        further = {
            "BROWSER": f"{programs}/browser %s",
            "NO_PROXY": "*",
            "PATH": f"{programs}:{os.environ['PATH']}",
        }
        self._environ = environment(self.home, further)
        return self

    @staticmethod
    def _script(file: Path, command: str) -> None:
        file.write_text(f"#!/bin/sh\nexec {command}\n")
        file.chmod(0o755)

    async def __aexit__(self, *_: object) -> None:
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            await asyncio.wait_for(process.wait(), LONGEST)

    async def follow(self, page: Path) -> None:
        """Do everything that the page says."""
        for step in steps(page):
            await getattr(self, f"_{step.kind}")(step)

    def mine(self, text: str) -> str:
        """The text, with the reader's own values in place of the examples'."""
        for example, value in self.own.items():
            text = text.replace(example, value)
        return text

    async def _file(self, step: Step) -> None:
        file = self.home / step.name.removeprefix("~/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.mine(step.text))

    async def _yours(self, step: Step) -> None:
        names = [line.removeprefix("export ").partition("=")[0] for line in step.text.splitlines()]
        self._environ |= {name: self.values[name] for name in names}

    async def _run(self, step: Step) -> None:
        process = await self._shell(step.text, asyncio.subprocess.PIPE)
        out, err = await asyncio.wait_for(process.communicate(), LONGEST)
        self.out = out.decode()
        assert process.returncode == 0, f"{step.text}\n{self.out}\n{err.decode()}"

    async def _start(self, step: Step) -> None:
        log = self.home / "started"
        with log.open("wb") as told:
            self._started.append(await self._shell(step.text, told.fileno()))

        async def healthy() -> bool:
            asked = await self._shell("token-sidecar healthcheck", asyncio.subprocess.DEVNULL)
            return await asked.wait() == 0

        try:
            await until(healthy, deadline=LONGEST)
        except TimeoutError:
            raise AssertionError(f"{step.text}{log.read_text()}") from None

    async def _prints(self, step: Step) -> None:
        assert printed(step.text, self.out), f"wanted:\n{step.text}\ncame:\n{self.out}"

    async def _shell(self, text: str, out: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "sh", "-euc", self.mine(text),
            cwd=self.home,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=asyncio.subprocess.STDOUT if out >= 0 else asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
