"""Replaces a file as a whole: whoever reads it, and a crash at any point, finds the old or the new.

The caller sees to it that one writes at a time.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from proxy.stores.file.guarded import opened

NEW: Final = ".new"
"""Ends the name of a file that is being written."""


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the file's place, on the disk when this returns.

    Raises:
        OSError: it can't be written; the file is as it was.
    """
    new = unfinished(path)
    try:
        _write(new, content)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    _settle(path.parent)


def complete(path: Path) -> None:
    """Put what a dead writer left in the file's place: it is whole, and newer.

    Raises:
        OSError: it can't be.
    """
    unfinished(path).replace(path)
    _settle(path.parent)


def unfinished(path: Path) -> Path:
    """Where a writer that died may have left what was to replace the file."""
    return path.with_name(path.name + NEW)


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(directory: Path) -> None:
    """The rename itself on the disk; where that is refused the content is there all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
