"""Files and directories that are ours alone: made so, and refused where they are not.

Decides what may be believed; every refusal names the command that mends it.
"""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import Final

from proxy.errors import StoreError

PRIVATE_DIRECTORY: Final = 0o700
PRIVATE_FILE: Final = 0o600
LARGEST: Final = 1 << 20
_FLAGS: Final = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


def directory(path: Path) -> None:
    """Make the directory if it is not there, and be sure that it is ours alone.

    Raises:
        StoreError: it can't be made, or somebody else could change what is in it.
    """
    try:
        make_directory(path)
        found = path.lstat()
    except OSError as error:
        raise StoreError(
            f"can't make the directory {path}: {error.strerror}; make it, or name one that can be"
            " written"
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise StoreError(f"{path} must be a directory and no link; name the directory itself")
    _ours(path, found, "700")


def make_directory(path: Path) -> None:
    """Make the directory where it is missing, and all that is missing on the way: for us alone.

    Raises:
        OSError: it can't be made.
    """
    missing = [path]
    missing += [parent for parent in path.parents if not parent.exists()]
    for one in reversed(missing):
        one.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def opened(path: Path, flags: int) -> int:
    """A descriptor of a file that is ours alone; made with mode 0600 under ``O_CREAT``.

    Raises:
        OSError: it can't be opened; ELOOP where it is a link.
        StoreError: somebody else owns it or may use it, or it is no regular file.
    """
    if path.is_symlink():
        raise StoreError(f"{path} is a link, which is not followed; rm {shlex.quote(str(path))}")
    descriptor = os.open(path, flags | _FLAGS, PRIVATE_FILE)
    try:
        _check(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def content(path: Path) -> bytes | None:
    """What the file holds, None where there is none.

    Raises:
        StoreError: it can't be read, or is not ours alone, or is far too large.
    """
    try:
        descriptor = opened(path, os.O_RDONLY)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - the file that was judged, not its name
            found = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"can't read {path}: {error.strerror}; chown or chmod it") from None
    if len(found) > LARGEST:
        raise StoreError(f"{path} is larger than {LARGEST} bytes; rm {shlex.quote(str(path))}")
    return found


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"{path} is no regular file; rm -r {shlex.quote(str(path))}")
    _ours(path, found, "600")


def _ours(path: Path, found: os.stat_result, mode: str) -> None:
    if os.name == "nt":
        return
    name = shlex.quote(str(path))
    if found.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to another user; chown {os.geteuid()} {name}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise StoreError(
            f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):04o});"
            f" chmod {mode} {name}"
        )
