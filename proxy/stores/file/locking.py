"""The right to change an entry, over processes: flock on a file beside it that is never removed.

Whoever dies lets go of it by dying. The loop is never blocked: a lock that is taken is tried again.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Final

from proxy.clock import Clock
from proxy.errors import StoreError
from proxy.stores.file.guarded import opened

PATIENCE: Final = 60.0
"""Seconds to wait for somebody else's renewal: two requests of 10 s, and then some."""
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.02
_UNWRITABLE: Final = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES})
_TAKEN: Final = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})


async def take(path: Path, clock: Clock) -> int | None:
    """A descriptor that holds the lock until it is released.

    None where there is no such file and none can be made: nobody can keep anything there then.

    Raises:
        StoreError: it was not to be had within ``PATIENCE``, or the file system has no locks.
    """
    try:
        descriptor = _open(path)
    except OSError as error:
        if error.errno in _UNWRITABLE:
            return None
        raise _no_lock(path, error) from None
    try:
        await _wait(descriptor, path, clock)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def take_at_once(path: Path) -> int:
    """The same without waiting.

    Raises:
        OSError: somebody else has it, or it can't be made.
    """
    descriptor = _open(path)
    try:
        _try(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def take_now(path: Path) -> int:
    """The same, at a process's start, where there is no loop to keep waiting; it may block."""
    try:
        descriptor = _open(path)
    except OSError as error:
        raise _no_lock(path, error) from None
    try:
        _block(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise _no_lock(path, error) from None
    return descriptor


def release(descriptor: int) -> None:
    """Let go of the lock, also where a process was forked meanwhile and has the descriptor too."""
    try:
        _unlock(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return opened(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        # One that is there can be locked all the same.
        if error.errno not in _UNWRITABLE or not path.exists():
            raise
        return opened(path, os.O_RDONLY)


async def _wait(descriptor: int, path: Path, clock: Clock) -> None:
    pause, end = _FIRST_PAUSE, clock.monotonic() + PATIENCE
    while not _taken(descriptor, path):
        if clock.monotonic() >= end:
            raise StoreError(
                f"{path} has been locked by another process for {PATIENCE:g} s; end the one that"
                f" hangs (fuser {path} tells which)"
            )
        await _sleep(pause, clock)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _sleep(seconds: float, clock: Clock) -> None:
    import asyncio  # noqa: PLC0415 - who only reads does not wait

    over = asyncio.Event()
    timer = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


def _taken(descriptor: int, path: Path) -> bool:
    """Whether the lock is ours now."""
    try:
        _try(descriptor)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise _no_lock(path, error) from None
    return True


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _block(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _block(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _no_lock(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"can't lock {path}: {error.strerror}; put the store on a local disk that we may write to"
    )
