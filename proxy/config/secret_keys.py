"""How the file writes a secret, and whose token is meant where a token is wanted.

Says where a value comes from; nothing here reads it. No message repeats what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from proxy.config import scalars
from proxy.config.kinds import DURATION, TEXT, Kind, MisplacedError
from proxy.config.model import FromCredential, FromRequest
from proxy.config.report import suggestion
from proxy.config.scalars import UnfitError
from proxy.secret import Secret

T = TypeVar("T")

EVERY: Final = 60.0
"""Seconds between two readings of what can't be watched."""
_LEAST_EVERY: Final = 1.0
_PLACES: Final = ("env", "file", "keyring", "vault", "command", "systemd")
_REREAD: Final = ("keyring", "vault", "command")


@dataclass(frozen=True, slots=True)
class Written:
    """A secret as the file has it.

    Attributes:
        kind: the key of its place, ``credentials_file``, or ``plain`` for the value itself.
        words: a command and its arguments.
        every: seconds between two readings.
    """

    kind: str
    where: str = ""
    value: Secret | None = None
    words: tuple[str, ...] = field(default=(), repr=False)
    every: float = EVERY


def _keyring(value: object) -> str:
    whole = scalars.text(value)
    service, _, name = whole.rpartition("/")
    if not (service and name):
        raise UnfitError("must be service/name: the keyring's service, and whose password there")
    return whole


def _vault(value: object) -> str:
    whole = scalars.text(value)
    path, _, name = whole.rpartition("#")
    segments = path.strip("/").split("/")
    if not name or len(segments) < 2 or not all(segments) or {".", ".."} & set(segments):
        raise UnfitError("must be path#field: as `vault kv get -field=field path` has it")
    return whole


def _systemd(value: object) -> str:
    name = scalars.text(value)
    if "/" in name or name in {".", ".."}:
        raise UnfitError("must be a credential's name, as the unit's LoadCredential= has it")
    return name


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise UnfitError("must be a list, the program and its arguments: no shell reads it")
    words = tuple(scalars.text(one) for one in value)
    if any("\0" in word for word in words):
        raise UnfitError("holds a NUL, which no argument can")
    return words


def _every(value: object) -> float:
    seconds = scalars.duration(value)
    if seconds < _LEAST_EVERY:
        raise UnfitError("must be 1s or more")
    return seconds


_READ: Final[Mapping[str, Callable[[object], str]]] = {
    "env": scalars.text,
    "file": scalars.text,
    "keyring": _keyring,
    "vault": _vault,
    "systemd": _systemd,
}


def secret(value: object) -> Written:
    """A secret reference: a string, or a mapping that says where it stands."""
    if not isinstance(value, dict):
        return Written("plain", value=Secret(scalars.text(value)))
    return _reference(value, "a secret", _PLACES)


def _reference(value: dict[str, object], what: str, places: tuple[str, ...]) -> Written:
    for key in value:
        if key not in (*places, "every"):
            known, hint = _either(places), suggestion(key, (*places, "every"))
            raise MisplacedError((key,), f"unknown key; {what} has {known}{hint}", of_key=True)
    kinds = [one for one in places if one in value]
    if len(kinds) != 1:
        raise UnfitError(f"must have exactly one of {_either(places)}")
    (kind,) = kinds
    every = _checked("every", _every, value) if "every" in value else EVERY
    if "every" in value and kind not in _REREAD:
        told = f"`every` has no meaning for {kind}: it is for {_either(_REREAD)}"
        raise MisplacedError(("every",), told, of_key=True)
    if kind == "command":
        return Written("command", words=_checked(kind, _command, value), every=every)
    return Written(kind, where=_checked(kind, _READ[kind], value), every=every)


def _checked(key: str, read: Callable[[object], T], value: dict[str, object]) -> T:
    try:
        return read(value[key])
    except UnfitError as error:
        raise MisplacedError((key,), f"`{key}` {error}") from None


def _either(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _actor(value: object) -> Written | FromCredential:
    """A secret that is a token, or the token of another credential."""
    if not isinstance(value, dict):
        return secret(value)
    if set(value) != {"credential"}:
        return _reference(value, "a token", (*_PLACES, "credential"))
    try:
        return FromCredential(scalars.text(value["credential"]))
    except UnfitError as error:
        raise MisplacedError(("credential",), f"`credential` {error}") from None


def _subject(value: object) -> Written | FromCredential | FromRequest:
    """What an actor may be, or the caller's own token."""
    if value == "request":
        return FromRequest()
    if isinstance(value, str) and (hint := suggestion(value, ("request",))):
        raise UnfitError(f"must be request, a secret, or {{credential: NAME}}{hint}")
    return _actor(value)


_DESCRIBED: Final[Mapping[str, Mapping[str, Any]]] = {
    "env": {**TEXT, "description": "an environment variable; read at start"},
    "file": {**TEXT, "description": "a file's content; watched"},
    "keyring": {**TEXT, "description": "service/name in the system's keyring"},
    "vault": {
        "type": "string",
        "pattern": "^[^#]+/[^#]+#[^#]+$",
        "description": "path#field in the Vault that `vault` names, as `vault kv get` has it",
    },
    "command": {
        "type": "array",
        "items": TEXT,
        "minItems": 1,
        "description": "what a program prints; no shell reads it",
    },
    "systemd": {**TEXT, "description": "a credential that systemd passes on; read at start"},
    "every": {
        **DURATION,
        "description": "keyring, vault, command: how often it is read again; default 60s",
    },
    "credential": {**TEXT, "description": "the token of another credential"},
}


def _mapping(*places: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _DESCRIBED[key] for key in (*places, "every")},
    }


_SECRET: Final = {"anyOf": [TEXT, _mapping(*_PLACES)]}
_TOKEN: Final = {"anyOf": [TEXT, _mapping(*_PLACES, "credential")]}

SecretKey = Annotated[Written, Kind(secret, _SECRET)]
Actor: TypeAlias = Written | FromCredential
ActorKey = Annotated[Actor, Kind(_actor, _TOKEN)]
Subject: TypeAlias = Written | FromCredential | FromRequest
SubjectKey = Annotated[Subject, Kind(_subject, _TOKEN)]
