"""The edge of the program: here, and only here, errors become exit codes and lines on stderr.

Costs next to nothing to import: the commands that run every few seconds pass here too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

INTERRUPTED: Final = 130
"""What shells expect of a program ended by Ctrl-C."""


def outcome(work: Callable[[], object]) -> int:
    """Do ``work``; its exit code. Nothing escapes but what ends the interpreter."""
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter's own flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the edge of the program
        from proxy.cli.failure import exit_code, explain  # noqa: PLC0415 - only for failures

        explain(error, sys.stderr, os.environ)
        return exit_code(error)
    return code if isinstance(code, int) else 0


def warn(message: str) -> None:
    """Tell the person something to see to, on stderr; the command goes on."""
    sys.stderr.write(f"token-sidecar: warning: {message}\n")
