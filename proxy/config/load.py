"""Reads the configuration file: text, keys, values, with every mistake told at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from proxy.config import credentials, listeners, routes, stores, vault
from proxy.config.check import check
from proxy.config.document import compose
from proxy.config.file_keys import FileKeys
from proxy.config.model import Config, Drain, Limits, Log, SecretReference, Tracing
from proxy.config.report import Report
from proxy.config.shared import secret
from proxy.config.surroundings import Surroundings
from proxy.errors import ConfigurationError

_LARGEST: Final = 1 << 20


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The configuration in the file at ``path``, checked whole and resolved.

    Secrets that it refers to are not read; ``environ`` only tells where the home is.

    Raises:
        ConfigurationError: with every problem found; each names ``path`` as it was given.
    """
    report = Report(str(path))
    return _loaded(_read(path, report), report, path, environ)


def load_text(text: str, name: str, path: Path, environ: Mapping[str, str]) -> Config:
    """The same for ``text``, as if it stood in ``path``; messages call it ``name``.

    Raises:
        ConfigurationError: with every problem found.
    """
    report = Report(name)
    if len(text) > _LARGEST:
        raise _too_large(report)
    return _loaded(text.removeprefix("\ufeff"), report, path, environ)


def _loaded(text: str, report: Report, path: Path, environ: Mapping[str, str]) -> Config:
    tree = compose(text, report)
    file = check(tree, report)
    around = Surroundings.of(path, environ)
    around = replace(around, vault=vault.resolve(file, report, around))
    config = _resolve(file, path, report, around)
    if not report.clean:
        raise report.fail()
    return config


def _resolve(file: FileKeys, path: Path, report: Report, around: Surroundings) -> Config:
    listening = listeners.resolve(file, report, around)
    if file.limits.target > file.limits.head:
        report.problem(("limits", "target"), "`target` must not exceed `head`: it is part of it")
    clients = _clients(file, report, around)
    resolved = credentials.resolve(file, report, around)
    return Config(
        path=Path(os.path.abspath(path)),  # noqa: PTH100 - keeps links
        listen=listening.main,
        certificates=listening.certificates,
        admin=listening.admin,
        metrics=listening.metrics,
        state_dir=around.path(file.state_dir),
        allow_remote=file.allow_remote,
        quitquitquit=file.quitquitquit,
        hosts=frozenset(file.hosts),
        browser_origins=frozenset(file.browser_origins),
        clients=clients,
        peer_uids=frozenset(file.peer_uids),
        workers=file.workers,
        log=Log(**file.log.model_dump()),
        tracing=None if file.tracing is None else Tracing(**file.tracing.model_dump()),
        limits=Limits(**file.limits.model_dump()),
        hold=file.hold,
        drain=Drain(**file.drain.model_dump()),
        credentials=resolved,
        routes=routes.resolve(file, listening, resolved, report, around),
        store=stores.resolve(file, report, around),
        files=_files(file, around),
        warnings=tuple(dict.fromkeys(report.warnings)),
    )


def _files(file: FileKeys, around: Surroundings) -> tuple[Path, ...]:
    """Credentials files are read for what is not secret in them."""
    named = (keys.credentials_file for keys in file.credentials.values())
    return tuple(around.path(one) for one in named if one)


def _clients(file: FileKeys, report: Report, around: Surroundings) -> dict[str, SecretReference]:
    found = {}
    for name, keys in file.clients.items():
        section = report.section("clients", name)
        if key := secret(keys.key, "key", section, around):
            found[name] = key
        else:
            section.missing("key", "a client needs a `key`: {env: NAME} or {file: path}")
    return found


def _read(path: Path, report: Report) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise _unreadable(error, report) from None
    if len(content) > _LARGEST:
        raise _too_large(report)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, begin = before.count(b"\n") + 1, before.rfind(b"\n") + 1
        report.mark((), (line, len(before[begin:].decode(errors="replace")) + 1))
        report.problem((), "the file is not UTF-8 here: save it as UTF-8")
        raise report.fail() from None


def _too_large(report: Report) -> ConfigurationError:
    report.problem((), "the file is larger than 1 MiB: is it a configuration?")
    return report.fail()


def _unreadable(error: OSError, report: Report) -> ConfigurationError:
    if isinstance(error, FileNotFoundError):
        what = "there is no such file"
    elif isinstance(error, IsADirectoryError):
        what = "this is a directory: name the file in it"
    elif isinstance(error, PermissionError):
        what = "we may not read this file: change its owner or its permissions"
    else:
        what = f"the file can't be read: {error.strerror}"
    report.problem((), what)
    return report.fail()
