"""What a command needs to know of a configuration, kept in the user's cache from its last reading.

Believed only while no file that it came from has changed: reading YAML and checking it costs more
than all the rest of a command. Nothing secret is in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from proxy.errors import StoreError
from proxy.stores.file import guarded
from proxy.version import VERSION

FORMAT: Final = 1
SETTLED: Final = 1.0
"""Seconds since a file's last change after which another change is sure to show in its times."""

Stamp = list[Any]
"""A file's path, and what of it changes whenever its content does."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """One credential.

    Attributes:
        identity: what the store knows it by.
        grant: the name of its grant.
        margin: seconds before expiry at which renewal begins, as in ``RenewalPolicy``.
        kept: its tokens are in the configured store.
        lent: it has a token of its own, not one for each caller.
    """

    identity: str
    grant: str
    margin: float
    kept: bool
    lent: bool


@dataclass(frozen=True, slots=True)
class IndexedStore:
    """A store in files.

    Attributes:
        directory: where it is.
        key: where its key is: (``env``, name), (``file``, path); None: in the state directory.
    """

    directory: str
    key: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Index:
    """One configuration.

    Attributes:
        state_dir: the state directory.
        hold: seconds that a running sidecar lets a request wait for a token.
        store: None where a look into the store takes more than this.
        credentials: by name.
    """

    state_dir: str
    hold: float
    store: IndexedStore | None
    credentials: Mapping[str, Indexed]


def recall(config: Path, environ: Mapping[str, str]) -> Index | None:
    """The index of this configuration file, None where there is none that may be believed."""
    try:
        path = _place(config, environ)
        told = json.loads(guarded.content(path) or b"null")
        if told is None or told["for"] != _about(config, environ):
            return None
        if any(_stamp(stamp[0]) != stamp for stamp in told["files"]):
            return None
        return _read(told["index"])
    except (OSError, StoreError, ValueError, KeyError, TypeError, IndexError):
        return None


def remember(
    config: Path, environ: Mapping[str, str], files: Iterable[Path], index: Index, began: float
) -> None:
    """Keep the index; nothing happens where that can't be.

    Args:
        config: the configuration file.
        environ: tells where the cache is, and what ``~`` means.
        files: all that it came from, the configuration itself among them.
        index: what came of it.
        began: when the reading of these files began, in seconds since the epoch.
    """
    with contextlib.suppress(OSError, StoreError):
        stamps = [_stamp(str(file)) for file in files]
        if any(max(stamp[-2:]) / 1e9 >= began - SETTLED for stamp in stamps):
            return
        told = {"for": _about(config, environ), "files": stamps, "index": asdict(index)}
        path = _place(config, environ)
        guarded.directory(path.parent)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.unlink(missing_ok=True)
        descriptor = guarded.opened(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - made by us just now
            json.dump(told, file)
        draft.replace(path)


def _place(config: Path, environ: Mapping[str, str]) -> Path:
    named = hashlib.sha256(os.path.abspath(config).encode("utf-8", "surrogateescape"))  # noqa: PTH100 - keeps links
    return cache_directory(environ) / f"{named.hexdigest()[:20]}.json"


def cache_directory(environ: Mapping[str, str]) -> Path:
    """``$XDG_CACHE_HOME/token-sidecar``; relative values are ignored, as the specification says."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # noqa: PTH117 - a text still
        base = f"{environ.get('HOME') or Path.home()}/.cache"
    return Path(base) / "token-sidecar"


def _about(config: Path, environ: Mapping[str, str]) -> list[Any]:
    """All but files that the index depends on."""
    home = environ.get("HOME") or str(Path.home())
    return [FORMAT, VERSION, os.path.abspath(config), home]  # noqa: PTH100 - keeps links


def _stamp(path: str) -> Stamp:
    found = os.stat(path)  # noqa: PTH116 - a text still
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return [path, found.st_dev, found.st_ino, found.st_size, *times]


def _read(told: Mapping[str, Any]) -> Index:
    store = told["store"]
    if store is not None:
        key = store["key"]
        store = IndexedStore(store["directory"], None if key is None else (key[0], key[1]))
    credentials = {name: Indexed(**one) for name, one in told["credentials"].items()}
    return Index(told["state_dir"], float(told["hold"]), store, credentials)
