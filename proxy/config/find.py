"""Decides which configuration file is meant, where nobody or somebody names one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from proxy.config.surroundings import home
from proxy.errors import ConfigurationError, Problem

VARIABLE: Final = "TOKEN_SIDECAR_CONFIG"
_LOCAL: Final = "token-sidecar.yaml"
_ABSENT: Final = "no configuration file is there: write one with `token-sidecar init`"


def find(explicit: str | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """The file named by ``explicit``, else by TOKEN_SIDECAR_CONFIG, else the first that is there.

    A file that is named is not looked for: reading it will tell.

    Raises:
        ConfigurationError: none is named and none is there; tells where it was looked for.
    """
    named = explicit or environ.get(VARIABLE)
    if named:
        return _named(named, environ, cwd)
    places = [cwd / _LOCAL, _of_user(environ)]
    for place in places:
        if os.path.exists(place):  # noqa: PTH110 - False, too, where we may not look
            return Path(_LOCAL) if place.parent == Path.cwd() else place
    looked = ", ".join(["--config", VARIABLE, *map(str, places)])
    raise ConfigurationError([Problem(_LOCAL, 1, 1, f"{_ABSENT}; looked at {looked}")])


def _named(name: str, environ: Mapping[str, str], cwd: Path) -> Path:
    path = home(environ) / name[2:] if name.startswith("~/") else Path(name)
    return path if path.is_absolute() or cwd == Path.cwd() else cwd / path


def _of_user(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification has relative values ignored.
    directory = Path(base) if base.startswith("/") else home(environ) / ".config"
    return directory / "token-sidecar" / "config.yaml"
