"""What the process asks of the system for itself: no core dumps, memory given back, descriptors.

Everything here is best effort: where a system lacks it, nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from typing import Final

PR_SET_DUMPABLE: Final = 4
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
MIB: Final = 1 << 20
MOST_DESCRIPTORS: Final = 1 << 16
"""Three times what 10,000 connections and their upstreams take."""


def forbid_dumps() -> None:
    """Let no core dump and no debugger of another process read the secrets held here."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def take_descriptors() -> None:
    """Open as many files as we may: each request under way needs two, shells allow 1,024."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):  # macOS allows fewer than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def steady_memory() -> None:
    """Have glibc keep big buffers on its heap, and return that heap's free end in big steps.

    Left to itself it maps and unmaps each large block, which costs more than copying it.
    """
    if not _on_glibc():
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 4 * MIB)
    libc.mallopt(M_TRIM_THRESHOLD, 16 * MIB)


def _on_glibc() -> bool:
    try:
        return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, OSError, ValueError):  # Windows, macOS, musl
        return False
