"""Makes the directory for the sidecar's own socket, and trusts only one that is ours alone."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.client.own_socket import own_socket
from proxy.config.model import Config
from proxy.errors import StartError
from proxy.runtime.log import Log
from proxy.stores.file.guarded import make_directory

LONGEST: Final = 103
"""Bytes of a Unix socket's path that every system takes (``sun_path``: 104 on macOS)."""


def own_socket_ready(config: Config, environ: Mapping[str, str], log: Log) -> Path | None:
    """The same, its directory made; None, and a warning, where there can be none.

    Requests are forwarded without it: a read-only container must not fail for its sake.
    """
    if not hasattr(socket, "AF_UNIX"):
        return None
    path = own_socket(config.path, environ, config.state_dir)
    try:
        _check_length(path)
        prepare_directory(path.parent)
    except StartError as error:
        log.event("warning", "own_socket", f"{error}; `healthcheck` can't find this process")
        return None
    return path


def _check_length(path: Path) -> None:
    if len(os.fsencode(path)) > LONGEST:
        raise StartError(
            f"{path} is too long for a Unix socket; "
            "set XDG_RUNTIME_DIR or state_dir to a shorter one"
        )


def prepare_directory(directory: Path) -> None:
    """Make ``directory`` if it is not there, and be sure that it is ours alone.

    Raises:
        StartError: it can't be made, or others could put a socket of their own in it.
    """
    try:
        make_directory(directory)
        found = directory.lstat()
    except OSError as error:
        raise StartError(
            f"can't make the directory {directory} for the sidecar's own socket: "
            f"{error.strerror}; set XDG_RUNTIME_DIR or state_dir to one that can be written"
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise StartError(f"{directory} must be a directory and no link; remove it")
    if found.st_uid != os.geteuid():
        raise StartError(f"{directory} belongs to another user; set state_dir to one of your own")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise StartError(f"{directory} is open to others; chmod 700 {directory}")
