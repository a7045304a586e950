"""Has another program take this process's place, so that all that is sent to one reaches the other.

Decides what a program that can't be run means: 127 and 126, as shells say it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

NOT_FOUND: Final = 127
NOT_RUN: Final = 126


def become(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run ``command`` in our place; comes back, with an exit code, only where that can't be."""
    if sys.platform == "win32":  # which has no such call
        return run(command, environ)
    # Python ignores these; the program should find them as it would without us.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], list(command), dict(environ))  # noqa: S606 - what the person asked for
    except OSError as error:
        return not_run(command[0], error)


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run it as a child to its end; its exit code."""
    try:
        return subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 - likewise
    except OSError as error:
        return not_run(command[0], error)


def not_run(program: str, error: OSError) -> int:
    """Say why it can't be run; the exit code that shells have for it."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        sys.stderr.write(f"token-sidecar: {program}: there is no such program\n")
        return NOT_FOUND
    sys.stderr.write(f"token-sidecar: {program} can't be run: {error.strerror}\n")
    return NOT_RUN
