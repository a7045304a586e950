"""Has the configuration file read and checked by a process of its own, which then is gone.

The parser and the checker weigh a fifth of what the sidecar does, and what they give are plain
values. While they work this process prepares itself, and a reload does not hold up requests.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from proxy.config.model import Config
from proxy.errors import ConfigurationError, Problem
from proxy.runtime.watching import stamp
from proxy.secret import Secret

CHILD: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from proxy.runtime.reading import answer; answer(sys.argv[1])"
)
"""Looks for modules where we do and nowhere else: not in the working directory."""


class Reading:
    """A configuration that is being read; ``stamp`` is the file's from before."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ
        self._child: subprocess.Popen[bytes] | None = None
        self.stamp = stamp(path)
        with contextlib.suppress(OSError):  # no more processes: result() does it here
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [sys.executable, "-I", "-c", CHILD, str(path), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environ,
            )

    def result(self) -> Config:
        """The configuration, waiting for it.

        Raises:
            ConfigurationError: it can't be used.
        """
        found = self._told()
        if isinstance(found, Config):
            return found
        if isinstance(found, tuple) and all(isinstance(one, Problem) for one in found):
            raise ConfigurationError(found)
        return load(self._path, self._environ)

    def _told(self) -> object:
        if self._child is None:
            return None
        told, _ = self._child.communicate()
        try:
            return pickle.loads(told)  # noqa: S301 - from our own child over our own pipe
        except Exception:  # noqa: BLE001 - whatever went wrong there shows when it is done here
            return None


def read_config(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in ``path``.

    Raises:
        ConfigurationError: it can't be used.
    """
    return Reading(path, environ).result()


def load(
    path: Path, environ: Mapping[str, str], name: str | None = None, text: str | None = None
) -> Config:
    """The same in this process, with all that it imports; or ``text`` in the file's place."""
    from proxy.config import load as loading  # noqa: PLC0415 - see the module's first lines

    if text is None:
        return loading.load(path, environ)
    return loading.load_text(text, name or str(path), path, environ)


def answer(path: str) -> None:
    """What the other process does: read, check, write the result to stdout."""
    import os  # noqa: PLC0415 - only there

    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415 - only there

    forbid_dumps()
    sys.stdout.buffer.write(_told(Path(path), os.environ))


def answer_all(questions: Iterable[bytes]) -> None:
    """The same for one question after the other, each a line of JSON, until there are no more.

    Before each answer stands its length, as eight bytes.
    """
    import json  # noqa: PLC0415 - only there
    import os  # noqa: PLC0415 - only there

    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415 - only there

    forbid_dumps()
    for line in questions:
        asked = json.loads(line)
        told = _told(Path(asked["path"]), os.environ, asked["name"], asked["text"])
        sys.stdout.buffer.write(len(told).to_bytes(8) + told)
        sys.stdout.buffer.flush()


def _told(
    path: Path, environ: Mapping[str, str], name: str | None = None, text: str | None = None
) -> bytes:
    try:
        return packed(load(path, environ, name, text))
    except ConfigurationError as error:
        return packed(error.problems)


def packed(told: object) -> bytes:
    """``told`` for the way through a pipe between two halves of one program."""
    buffer = io.BytesIO()
    _Packer(buffer).dump(told)
    return buffer.getvalue()


class _Packer(pickle.Pickler):
    """Lets secrets written in the file itself through, which nothing else may."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Secret):
            return Secret, (value.reveal(),)
        return NotImplemented
