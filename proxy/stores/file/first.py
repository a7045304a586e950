"""Puts a file where there is none yet: of all who try at once, the first one's stays."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from proxy.stores.file import guarded


def put(path: Path, content: bytes) -> None:
    """Put it there, whole and on the disk, unless something is there already.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, content)
        # Unlike a rename a link never replaces what another process put there.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    descriptor = guarded.opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
