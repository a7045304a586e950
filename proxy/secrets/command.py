"""Secrets that a program prints: run without a shell, bounded in time and in what it may print.

What it prints is the secret and shows nowhere; what it says besides is dropped. Whatever it
started in its own process group ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from proxy.errors import SecretError, SecretUnavailableError
from proxy.secret import Secret

LIMIT: Final = 10.0
"""Seconds that it may take."""
LARGEST: Final = 64 << 10
"""Bytes that it may print."""
_STEP: Final = 0.02
_LAST_WORDS: Final = 0.2
"""Seconds that what it printed gets to arrive after its end, where a child keeps the pipe open."""


class CommandSource:
    """What a program prints, less one trailing newline.

    Args:
        argv: the program, a path or a name to look for in PATH, and its arguments.
        environ: what it is run with.
        limit: seconds that it may take.
    """

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], limit: float = LIMIT
    ) -> None:
        self._argv = tuple(argv)
        self._environ = environ
        self._limit = limit
        self._running: set[subprocess.Popen[bytes]] = set()

    def stop(self) -> None:
        """End it where it runs: nobody waits for it any more. From any thread."""
        for process in tuple(self._running):
            _kill(process)

    def read(self) -> Secret:
        """What it prints now; see ``SecretSource``. Takes as long as the program does."""
        name = self._argv[0]
        try:
            text = _output(self._argv, self._environ, self._limit, self._running).decode("utf-8")
        except UnicodeDecodeError:
            raise SecretError(f"the command {name} printed what is not UTF-8 text") from None
        value = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
        if not value:
            raise SecretError(f"the command {name} printed nothing; it has to print the secret")
        return Secret(value)

    def warnings(self) -> tuple[str, ...]:
        """None."""
        return ()


def _output(
    argv: Sequence[str],
    environ: Mapping[str, str],
    limit: float,
    running: set[subprocess.Popen[bytes]],
) -> bytes:
    """What a program prints until it ends; ``running`` has it for so long."""
    process = _started(argv, environ)
    running.add(process)
    printed = _Printed(process)
    try:
        ended = _wait(process, printed, limit)
    finally:
        _kill(process)
        process.wait()
        running.discard(process)
    if printed.too_much:
        raise SecretError(
            f"the command {argv[0]} printed more than {LARGEST} bytes and was stopped; it has to"
            " print the secret alone"
        )
    if not ended:
        raise SecretUnavailableError(
            f"the command {argv[0]} did not end within {limit:g} s and was stopped; run it by hand"
        )
    if process.returncode != 0:
        how = f"ended with {process.returncode}"
        if process.returncode < 0:
            how = f"was ended by signal {-process.returncode}"
        raise SecretUnavailableError(f"the command {argv[0]} {how}; run it by hand to see why")
    return bytes(printed.content)


def _started(argv: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - what the configuration names
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
        )
    except (FileNotFoundError, NotADirectoryError):
        raise SecretError(
            f"the command {argv[0]} does not exist; install it or mend `command`"
        ) from None
    except PermissionError:
        raise SecretError(
            f"the command {argv[0]} may not be run by us; chmod or chown it"
        ) from None
    except OSError as error:
        raise SecretUnavailableError(
            f"the command {argv[0]} can't be run: {error.strerror or type(error).__name__}"
        ) from None


class _Printed:
    """Takes in what a program prints, by a thread: pipes can't be waited for everywhere."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.content = bytearray()
        self.too_much = False
        self._process = process
        self._thread = threading.Thread(target=self._read, name="secret command", daemon=True)
        self._thread.start()

    def whole(self, seconds: float) -> bool:
        """Whether everything has come, after at most ``seconds``."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _read(self) -> None:
        pipe = self._process.stdout
        if pipe is None:
            return
        with pipe:
            while piece := os.read(pipe.fileno(), 1 << 16):
                self.content += piece
                if len(self.content) > LARGEST:
                    self.too_much = True
                    return


def _wait(process: subprocess.Popen[bytes], printed: _Printed, limit: float) -> bool:
    """Whether it ended by itself within ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if process.poll() is not None:
            printed.whole(_LAST_WORDS)
            return True
        if printed.whole(_STEP):
            if printed.too_much:
                return False
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
                return True
    return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that is left of its process group."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
