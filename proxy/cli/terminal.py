"""The person at this terminal: shown addresses and codes on stderr, asked on stdin.

Never blocks the loop: browsers and the terminal's line are waited for in threads of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Final, TextIO

import click

from proxy.oauth.device import DeviceAuthorization

CHUNK: Final = 65536
_OPENING: Final = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"
LONGEST: Final = 1 << 20
"""Bytes of a line: whoever pipes more than that pastes no address."""


class Terminal:
    """A ``Person``.

    Args:
        environ: tells of a display and of SSH.
        stdin: where answers are pasted.
        browser: whether one may be opened.
        paste: whether answers come by hand alone; else only from a terminal.
    """

    def __init__(
        self, environ: Mapping[str, str], stdin: TextIO | None, *, browser: bool, paste: bool
    ) -> None:
        self._environ = environ
        self._browser = browser and has_display(environ)
        self._stdin = stdin if stdin is not None and (paste or stdin.isatty()) else None
        self._rest = b""

    def send(self, url: str, *, returns: bool) -> None:
        """See ``Person``."""
        if self._browser:
            _say("A browser opens for the login. If none does, open this address:")
            threading.Thread(target=_open, args=(url,), daemon=True).start()
        else:
            _say("Open this address in a browser and log in:")
        _say(f"\n  {url}\n")
        if not returns:
            _say("Then paste here the address that the browser ends at, or the code it shows:")
        elif self._stdin is not None:
            _say(_ELSEWHERE if "SSH_CONNECTION" in self._environ else _OR_PASTE)

    def show_code(self, shown: DeviceAuthorization) -> None:
        """See ``Person``."""
        _say(
            f"Open this address on any device:\n\n  {shown.verification_uri}\n\n"
            f"and enter the code:\n\n  {shown.user_code}\n"
        )
        if sys.stderr.isatty():
            _say("Or scan this:\n" if shown.complete else "The address to scan:\n")
            _draw(shown.complete or shown.verification_uri)
        _say("Waiting for the login to be allowed there ...")

    async def pasted(self) -> str:
        """See ``Person``."""
        if self._stdin is None:
            raise EOFError
        line, self._rest = await _line(self._stdin.fileno(), self._rest)
        if not line:
            raise EOFError
        return line.decode(errors="replace")

    def complain(self, message: str) -> None:
        """See ``Person``."""
        _say(message)


def has_display(environ: Mapping[str, str]) -> bool:
    """Whether a browser has somewhere to open a window; one in the terminal would take it away."""
    if sys.platform in {"darwin", "win32"}:
        return "SSH_CONNECTION" not in environ
    return any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _open(url: str) -> None:
    """In a process of its own: browsers chat on stdout, and Ctrl-C is meant for us alone."""
    opening = [sys.executable, "-I", "-c", _OPENING, url]
    if subprocess.run(opening, stdout=subprocess.DEVNULL, start_new_session=True).returncode:  # noqa: S603, PLW1510 - our own interpreter and code; its code is looked at
        _say("No browser could be opened: open the address above yourself.")


def _draw(url: str) -> None:
    import segno  # noqa: PLC0415 - only a device login on a terminal shows one

    segno.make(url, micro=False).terminal(sys.stderr, compact=True)
    _say("")


async def _line(descriptor: int, begun: bytes) -> tuple[bytes, bytes]:
    """The next line, and what came after it; an empty one at the end of the input."""
    while b"\n" not in begun and len(begun) < LONGEST:
        piece = await _read(descriptor)
        if not piece:
            return begun, b""
        begun += piece
    line, _, rest = begun.partition(b"\n")
    return line + b"\n", rest


async def _read(descriptor: int) -> bytes:
    """Read once, in a thread that nobody waits for at the end: a terminal may never answer.

    From the descriptor itself, whose reader holds no lock that the interpreter's end would want.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Future[bytes] = loop.create_future()

    def settle(piece: bytes) -> None:
        if not came.done():
            came.set_result(piece)

    def read() -> None:
        try:
            piece = os.read(descriptor, CHUNK)
        except OSError:
            piece = b""
        with contextlib.suppress(RuntimeError):  # the login is over, and its loop is gone
            loop.call_soon_threadsafe(settle, piece)

    threading.Thread(target=read, daemon=True).start()
    return await came


def _say(message: str) -> None:
    click.echo(message, err=True)


_OR_PASTE: Final = (
    "If that browser is on another machine, it will fail to open a page on 127.0.0.1 at the end:"
    " paste that page's address here."
)
_ELSEWHERE: Final = (
    "This is an SSH session, so your browser is on another machine. It will fail to open a page on"
    " 127.0.0.1 at the end: paste that page's address here."
)
