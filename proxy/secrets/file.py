"""Secrets in files that we only read: a whole file, or a field of a downloaded credentials file.

Decides which files are safe to believe and what of them is the secret. Links are followed,
since Kubernetes mounts secrets as links.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from proxy.errors import SecretError
from proxy.secret import Secret

LARGEST: Final = 64 << 10
_MOUNTED: Final = (Path("/run/secrets"), Path("/var/run/secrets"), Path("/run/credentials"))


class FileSource:
    """A file whose content, less one trailing newline, is the secret."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Secret:
        """The content as it is now; see ``SecretSource``."""
        text = read_text(self._path)
        value = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
        if not value:
            raise SecretError(f"secret file {self._path} is empty; write the secret into it")
        return Secret(value)

    def warnings(self) -> tuple[str, ...]:
        """Whether others can read it; see ``SecretSource``."""
        return exposure(self._path)


class FieldSource:
    """One field of a file that holds several.

    Args:
        path: the file.
        pick: finds the field in the text; ValueError says what is wrong, as the rest of a
            sentence.
    """

    def __init__(self, path: Path, pick: Callable[[str], Secret]) -> None:
        self._path = path
        self._pick = pick

    def read(self) -> Secret:
        """The field as it is now; see ``SecretSource``."""
        text = read_text(self._path)
        try:
            value = self._pick(text)
        except ValueError as error:
            raise SecretError(f"credentials file {self._path} {error}") from None
        if not value:
            raise SecretError(f"credentials file {self._path} has no client_secret")
        return value

    def warnings(self) -> tuple[str, ...]:
        """Whether others can read it; see ``SecretSource``."""
        return exposure(self._path)


def read_text(path: Path) -> str:
    """The text of a file that is safe to believe.

    Raises:
        SecretError: it is missing, unreadable, no file, too large, no UTF-8, or somebody else
            can write to it.
    """
    content = _content(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SecretError(f"secret file {path} is not UTF-8 text; save it as UTF-8") from None


def exposure(path: Path) -> tuple[str, ...]:
    """A warning if any user of this machine can read the file, unless it was mounted so."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if os.name == "nt" or not mode & stat.S_IROTH or _is_mounted(path):
        return ()
    return (f"secret file {path} is readable by every user; chmod o-r {shlex.quote(str(path))}",)


def _content(path: Path) -> bytes:
    try:
        # Without blocking: a pipe would wait for its writer, for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        with open(descriptor, "rb") as file:  # noqa: PTH123 - the file that was opened, not its name
            _check(path, os.fstat(descriptor))
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > LARGEST:
        raise SecretError(f"secret file {path} is larger than {LARGEST} bytes; mend the path")
    return content


def _check(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise SecretError(f"{path} is a directory; name the secret file in it")
    if not stat.S_ISREG(found.st_mode):
        raise SecretError(f"{path} is no regular file; a secret is read more than once")
    if os.name != "nt" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SecretError(
            f"secret file {path} can be changed by others (mode {found.st_mode & 0o7777:04o});"
            f" chmod go-w {shlex.quote(str(path))}"
        )


def _unreadable(path: Path, error: OSError) -> SecretError:
    match error:
        case FileNotFoundError():
            return SecretError(f"secret file {path} does not exist; create it or mend the path")
        case PermissionError():
            return SecretError(f"secret file {path} may not be read by us; chown or chmod it")
        case IsADirectoryError():
            return SecretError(f"{path} is a directory; name the secret file in it")
        case _:
            return SecretError(f"secret file {path} can't be read: {error.strerror or error}")


def _is_mounted(path: Path) -> bool:
    """Whether a container runtime or systemd put it there (Kubernetes leaves a ``..data`` link)."""
    absolute = path.absolute()
    if any(absolute.is_relative_to(place) for place in _MOUNTED):
        return True
    return (absolute.parent / "..data").is_symlink()
