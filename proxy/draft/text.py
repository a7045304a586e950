"""The configuration file's text, from a draft whose secrets all have a place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from proxy.draft.draft import Draft

_PLAIN: Final = re.compile(r"[A-Za-z/~][A-Za-z0-9_./@%?=&+~-]*(:[A-Za-z0-9_./@%?=&+~-]+)*")
_SIMPLE: Final = re.compile(r"[A-Za-z/~][A-Za-z0-9_./-]*")
_WORDS: Final = ("true", "false", "null", "yes", "no", "on", "off", "~", "y", "n")
_OF_PERSON: Final = ("authorization_code", "device_code", "refresh_token")
_HEAD: Final = """\
# Written by `token-sidecar init`. `token-sidecar check --online` gets a token and tells of it,
# `token-sidecar run` starts to forward.
listen: 127.0.0.1:8080
"""


def text(name: str, draft: Draft, places: Mapping[str, Mapping[str, str]]) -> str:
    """The whole file; ``places`` says of each secret where it is kept."""
    credential = {**draft.keys, **places}
    route = {"path": "/", "upstream": draft.upstream, "credential": name, **draft.route}
    first, *further = _lines(route, "    ")
    lines = ["", "credentials:", f"  {name}:", *_lines(credential, "    ")]
    lines += ["", "routes:", f"  - {first.lstrip()}", *further]
    if keeps(draft):
        lines += ["", "store: file    # what a login yields must outlive the process"]
    return _HEAD + "\n".join(lines) + "\n"


def keeps(draft: Draft) -> bool:
    """Whether what is obtained must survive: a person's login, a refresh token that changes."""
    by_browser = draft.keys.get("preset") == "seldon" and not (
        draft.has("client_secret") or draft.has("username")
    )
    return draft.grant in _OF_PERSON or by_browser


def _lines(keys: Mapping[str, object], indent: str) -> Iterator[str]:
    for key, value in keys.items():
        yield f"{indent}{_scalar(key)}: {_value(value)}"


def _value(value: object) -> str:
    """A key's value; what is inside brackets is quoted sooner."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_inner(str(key))}: {_inner(one)}" for key, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inner, value))}]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _inner(value: object) -> str:
    return _scalar(value, _SIMPLE) if isinstance(value, str) else _value(value)


def _scalar(word: str, plain: re.Pattern[str] = _PLAIN) -> str:
    if plain.fullmatch(word) and word.lower() not in _WORDS:
        return word
    return json.dumps(word, ensure_ascii=False)
