"""A program on a terminal of its own: what it writes there, the keys it gets, how it leaves it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import struct
import termios
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.support.process import PROGRAM, environment, until

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")
HOME = "\x1b[H"


class Screen:
    """The terminal's other side.

    Attributes:
        written: all that came so far, escapes and all.
    """

    def __init__(self, descriptor: int, theirs: int, process: asyncio.subprocess.Process) -> None:
        self._descriptor = descriptor
        self._theirs = theirs
        self.process = process
        self.written = ""

    def read(self) -> None:
        """Take what is there."""
        with contextlib.suppress(OSError):
            while piece := os.read(self._descriptor, 65536):
                self.written += piece.decode(errors="replace")

    @property
    def text(self) -> str:
        """What came so far, without escapes."""
        return ESCAPES.sub("", self.written)

    @property
    def frame(self) -> list[str]:
        """The lines of the last picture."""
        return ESCAPES.sub("", self.written.rpartition(HOME)[2]).splitlines()

    def forget(self) -> None:
        """Only what comes from now on counts."""
        self.read()
        self.written = ""

    async def shows(self, words: str, deadline: float = 20.0) -> None:
        """Wait until this was written."""

        async def shown() -> bool:
            self.read()
            return words in self.text

        try:
            await until(shown, deadline=deadline, what=f"{words!r}")
        except TimeoutError as error:
            raise AssertionError(f"{words!r} is not in:\n{self.text[-4000:]}") from error

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._descriptor, keys)

    def resize(self, columns: int, lines: int) -> None:
        """The window gets another size."""
        _resize(self._descriptor, columns, lines)

    def modes(self) -> list[object]:
        """How the terminal treats what is typed."""
        return list(termios.tcgetattr(self._theirs))

    async def ended(self, deadline: float = 10.0) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(deadline):
            code = await self.process.wait()
        self.read()
        return code


def _resize(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@contextlib.asynccontextmanager
async def on_screen(
    *arguments: str, home: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Screen]:
    """``token-sidecar ARGUMENTS`` on a terminal of 120 columns and 30 lines."""
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    _resize(ours, 120, 30)

    def take() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    terminal = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})}
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=home,
        env=environment(home, terminal),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=take,
    )
    screen = Screen(ours, theirs, process)
    try:
        yield screen
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(ours)
        os.close(theirs)
