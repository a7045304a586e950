"""The edge of the program: here, and only here, errors become exit codes and lines on stderr.

Costs next to nothing to import: the commands that run every few seconds pass here too.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Final

INTERRUPTED: Final = 130
"""What shells expect of a program ended by Ctrl-C."""
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
"""Only stdout has it so: whoever writes a file here tells its name, and what to do."""


def outcome(work: Callable[[], object]) -> int:
    """Do ``work``; its exit code. Nothing escapes but what ends the interpreter."""
    try:
        code = work()
        if sys.stdout is not None:  # closed by whoever started us: nothing to tell
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge of the program
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _discard_output()
            sys.stderr.write(f"token-sidecar: stdout can't be written: {error.strerror}\n")
            return 1
        from proxy.cli.failure import exit_code, explain  # noqa: PLC0415 - only for failures

        explain(error, sys.stderr, os.environ)
        return exit_code(error)
    return code if isinstance(code, int) else 0


def _discard_output() -> None:
    """Nobody reads it, or has room for it; the interpreter's own flush at exit must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(message: str) -> None:
    """Tell the person something to see to, on stderr; the command goes on."""
    sys.stderr.write(f"token-sidecar: warning: {message}\n")
