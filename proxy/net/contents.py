"""Tells by a digest whether what is in a file is another than it was.

Kubernetes writes every file of a volume anew when one of them changes: neither time nor inode say
that a certificate was rotated. Knows nothing of what the files are for.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Collection
from pathlib import Path

Digest = bytes
Stamp = tuple[int, ...]


class Contents:
    """Digests of files; one is read again only where its times, size or inode differ."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Stamp, Digest | None]] = {}

    def of(self, path: Path) -> Digest | None:
        """The digest of what is in ``path``; None where no regular file can be read there."""
        found = _stamp(path)
        if found is None:
            self._known.pop(path, None)
            return None
        known = self._known.get(path)
        if known is None or known[0] != found:
            # The stamp is older than what is read: a change in between shows the next time.
            known = self._known[path] = found, _digest(path)
        return known[1]

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all others."""
        for path in [path for path in self._known if path not in paths]:
            del self._known[path]


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


def _digest(path: Path) -> Digest | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
