"""Paths that were given from where somebody stands, as the configuration file has to name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from proxy.draft.draft import Draft
from proxy.secret import Secret

_FILES: Final = ("credentials_file", "ca_file", "cert_file", "key_file", "file")


def anchored(draft: Draft, directory: Path) -> Draft:
    """``draft`` with paths that mean the same in a file in ``directory``."""
    if directory.resolve() == Path.cwd():
        return draft
    return replace(
        draft,
        keys=_mapping(draft.keys),
        route=_mapping(draft.route),
        secrets={
            key: one if isinstance(one, Secret) else {kind: _path(kind, one[kind]) for kind in one}
            for key, one in draft.secrets.items()
        },
    )


def _mapping(keys: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _mapping(value) if key == "tls" and isinstance(value, dict) else _value(key, value)
        for key, value in keys.items()
    }


def _value(key: str, value: object) -> object:
    return _path(key, value) if isinstance(value, str) else value


def _path(key: str, value: str) -> str:
    if key not in _FILES or value.startswith(("/", "~/")):
        return value
    return str(Path(value).absolute())
