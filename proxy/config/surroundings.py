"""Where the file lies and whose it is: what relative paths, ``~`` and its Vault mean."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.config.model import Vault


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The file's directory, the user's home, and the Vault that secrets may stand in."""

    directory: Path
    home: Path
    vault: Vault | None = None

    @classmethod
    def of(cls, file: Path, environ: Mapping[str, str]) -> Surroundings:
        """Those of the configuration ``file``; the home is HOME's, else the system's word."""
        return cls(Path(os.path.abspath(file)).parent, home(environ))  # noqa: PTH100 - keeps links

    def path(self, written: str) -> Path:
        """The absolute path that ``written`` means in the file."""
        if written == "~" or written.startswith("~/"):
            return self.home / written[2:]
        return Path(os.path.normpath(self.directory / written))


def home(environ: Mapping[str, str]) -> Path:
    """The user's home directory."""
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def unreadable(path: Path) -> str | None:
    """Why ``path`` can't be read as a file, None if it can."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            return f"names a directory, {path}: a file is needed"
        if not stat.S_ISREG(kind):  # a pipe would be waited for, and read once only
            return f"names {path}, which is no regular file: it is read more than once"
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return f"names a file that is not there: {path}"
    except PermissionError:
        return f"names a file that we may not read: {path}"
    except OSError as error:
        return f"names {path}, which can't be read: {error.strerror}"
