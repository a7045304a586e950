"""Writes a draft as a configuration file: checked first, whole or not at all, replacing nothing."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from proxy.config.load import load
from proxy.config.model import Config, EnvSecret
from proxy.draft.anchoring import anchored
from proxy.draft.draft import Draft
from proxy.draft.keeping import Keeper
from proxy.draft.text import text
from proxy.errors import ConfigurationError, DraftError
from proxy.runtime.preflight import inspect, references
from proxy.runtime.tls import TlsContexts

_SET: Final = "set"


@dataclass(frozen=True, slots=True)
class Written:
    """What was done: ``notes`` and ``warnings`` are for whoever asked."""

    path: Path
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def write(draft: Draft, keeper: Keeper, environ: Mapping[str, str]) -> Written:
    """Write the file that ``keeper`` is for, and the secrets that it names.

    Raises:
        ConfigurationError: the draft makes no right configuration; nothing is left behind.
        DraftError: a file is there already, or can't be written.
        SecretError: the keyring takes nothing.
    """
    target = keeper.config
    if os.path.lexists(target) and not keeper.force:
        raise DraftError(f"{target} is there already; --force replaces it, --config names another")
    draft = anchored(draft, target.parent)
    content = text(keeper.name, draft, keeper.places(draft))
    with _beside(target, content) as temporary:
        config = _loaded(temporary, target, environ)
        try:
            notes = keeper.keep(draft)
            warnings = _inspected(config, target, environ)
            _move(temporary, target, force=keeper.force)
        except BaseException:
            keeper.undo()
            raise
    return Written(target, (*notes, *_unset(config, environ)), warnings)


@contextlib.contextmanager
def _beside(target: Path, content: str) -> Iterator[Path]:
    """A file in the same directory, so that relative paths mean the same; gone afterwards."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(".tmp", f".{target.name}.", target.parent)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DraftError(f"{target} can't be written: {error.strerror}") from None
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _loaded(path: Path, target: Path, environ: Mapping[str, str]) -> Config:
    try:
        return load(path, environ)
    except ConfigurationError as error:
        named = [replace(one, file=str(target)) for one in error.problems]
        raise ConfigurationError(named) from None


def _inspected(config: Config, target: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The warnings about it; variables that nobody has set yet count as set."""
    found = inspect(config, ChainMap(dict(environ), _variables(config)), TlsContexts())
    if found.problems:
        raise ConfigurationError([replace(one, file=str(target)) for one in found.problems])
    return tuple(str(replace(one, file=str(target))) for one in found.warnings)


def _variables(config: Config) -> dict[str, str]:
    return {one.name: _SET for one in references(config) if isinstance(one, EnvSecret)}


def _unset(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    for name in _variables(config):
        if not environ.get(name):
            yield f"environment variable {name} is not set yet: export it"


def _move(temporary: Path, target: Path, *, force: bool) -> None:
    try:
        if force:
            os.replace(temporary, target)  # noqa: PTH105 - beside link, which pathlib names worse
        else:
            os.link(temporary, target)  # fails where somebody was faster
    except FileExistsError:
        raise DraftError(f"{target} is there already; --force replaces it") from None
    except OSError as error:
        raise DraftError(f"{target} can't be written: {error.strerror}") from None
