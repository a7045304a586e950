"""What a token request's body says: its fields, whether it is a form or JSON.

RFC 6749's names for what some endpoints call otherwise (``clientId``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from proxy.draft.shell import Curl
from proxy.errors import DraftError

_DATA: Final = ("data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_OTHERWISE: Final = {"app_id": "client_id", "app_secret": "client_secret"}


@dataclass(frozen=True, slots=True, repr=False)
class Fields:
    """The fields by RFC 6749's names; ``json_names`` those called otherwise. Not shown."""

    values: dict[str, str]
    json_names: dict[str, str] | None


def body(command: Curl) -> Fields:
    """The fields that a command sends; none where it sends no body.

    Raises:
        DraftError: the body is neither a form nor a JSON object.
    """
    written = list(command.all(*_DATA))
    first = written[0][1].lstrip() if written else ""
    if first.startswith("{"):
        return _object("".join(value for _, value in written))
    return Fields(dict(pair for name, value in written for pair in _pairs(name, value)), None)


def _pairs(option: str, value: str) -> Iterator[tuple[str, str]]:
    if option == "data-urlencode":
        name, found, content = value.partition("=")
        if not found and "@" in value:
            name, _, path = value.partition("@")
            yield name, f"@{path}"
        elif found:
            yield name, content
        return
    if value.startswith("@"):
        raise DraftError("curl takes the request's body from a file: paste what is in it instead")
    yield from parse_qsl(value, keep_blank_values=True)


def _object(text: str) -> Fields:
    try:
        content = json.loads(text)
    except ValueError:
        raise DraftError("the request's body begins like JSON and is none") from None
    if not isinstance(content, dict):
        raise DraftError("the request's body is JSON, but no object")
    names = {_usual(key): key for key in content}
    values = {name: content[key] for name, key in names.items()}
    if not all(isinstance(value, str) for value in values.values()):
        raise DraftError("the request's JSON body holds more than text")
    return Fields(values, {name: key for name, key in names.items() if name != key})


def _usual(key: str) -> str:
    name = _HUMP.sub(r"_\1", key).lower()
    return _OTHERWISE.get(name, name)


def is_token_request(command: Curl) -> bool:
    """Whether the command asks for a token: by its body, else by its address."""
    try:
        fields = body(command).values
    except DraftError:
        fields = {}
    asks = "grant_type" in fields or {"client_id", "client_secret"} <= set(fields)
    path = urlsplit(command.url).path.rstrip("/")
    return asks or (bool(command.last("user")) and path.endswith("/token"))
