"""People who log in: a scripted one for the port, and one at the terminal of the real program."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from proxy.oauth.device import DeviceAuthorization
from tests.support.process import PROGRAM, Finished, environment, until

ADDRESS = re.compile(r"^  (http\S+)$", re.MULTILINE)


async def browse(url: str) -> tuple[int, str]:
    """Go where a browser goes, redirects and all; the last page's status and text."""
    async with aiohttp.ClientSession() as browser, browser.get(url) as answer:
        return answer.status, await answer.text()


async def redirect_of(url: str) -> str:
    """Where the provider would send the browser."""
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(url, allow_redirects=False) as answer,
    ):
        return answer.headers["Location"]


def sent_with(url: str) -> dict[str, str]:
    """The parameters of an authorization request."""
    return dict(parse_qsl(urlsplit(url).query))


@dataclass
class ScriptedPerson:
    """A ``Person`` who does ``then`` with the address, and pastes what the queue holds.

    Attributes:
        sent: (address, whether the browser comes back by itself) of every login.
        shown: every code that was shown.
        complaints: what was wrong about what was pasted.
        visit: what the browser ends at.
        asked: set once the person was sent somewhere.
    """

    then: Callable[[str], Awaitable[tuple[int, str]]] | None = None
    pastes: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    sent: list[tuple[str, bool]] = field(default_factory=list)
    shown: list[DeviceAuthorization] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    visit: asyncio.Task[tuple[int, str]] | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, url: str, *, returns: bool) -> None:
        self.sent.append((url, returns))
        self.asked.set()
        if self.then is not None:
            self.visit = asyncio.ensure_future(self.then(url))

    def show_code(self, shown: DeviceAuthorization) -> None:
        self.shown.append(shown)

    async def pasted(self) -> str:
        line = await self.pastes.get()
        self.pastes.task_done()
        if line is None:
            raise EOFError
        return line

    def complain(self, message: str) -> None:
        self.complaints.append(message)


class AtTerminal:
    """A ``token-sidecar login`` that runs, with what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path) -> None:
        self.process = process
        self._home = home

    @property
    def out(self) -> str:
        """stdout."""
        return (self._home / "login.out").read_text()

    @property
    def err(self) -> str:
        """stderr."""
        return (self._home / "login.err").read_text()

    async def address(self) -> str:
        """The address that it shows."""
        await self.says(ADDRESS)
        found = ADDRESS.search(self.err)
        assert found is not None
        return found[1]

    async def says(self, pattern: re.Pattern[str] | str) -> None:
        """Wait until this stands in its stderr."""

        async def said() -> bool:
            if self.process.returncode is not None and not re.search(pattern, self.err):
                raise AssertionError(f"it ended with {self.process.returncode}:\n{self.err}")
            return re.search(pattern, self.err) is not None

        await until(said, deadline=60, what=f"{pattern!r} in its stderr")

    async def paste(self, text: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def ended(self, deadline: float = 60.0) -> Finished:
        """Wait for its end."""
        async with asyncio.timeout(deadline):
            code = await self.process.wait()
        return Finished(code, self.out, self.err)


@asynccontextmanager
async def at_terminal(
    arguments: Sequence[str], home: Path, environ: Mapping[str, str]
) -> AsyncIterator[AtTerminal]:
    """``token-sidecar ARGUMENTS`` in ``home``, with a pipe for its stdin."""
    with (home / "login.out").open("wb") as out, (home / "login.err").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            cwd=home,
            env=environment(home, environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=err,
        )
    try:
        yield AtTerminal(process, home)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
