"""Which start of the machine this is: monotonic times are compared within one alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_LINUX: Final = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """The same text in all processes until the machine starts anew; empty where none is told."""
    try:
        return _LINUX.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
