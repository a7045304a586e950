"""How the file writes a secret, and whose token is meant where a token is wanted.

Says where a value comes from; nothing here reads it. No message repeats what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from proxy.config import scalars
from proxy.config.kinds import MARK, NOT_YET, TEXT, Kind, MisplacedError
from proxy.config.model import FromCredential, FromRequest
from proxy.config.report import suggestion
from proxy.config.scalars import UnfitError
from proxy.secret import Secret

_LATER: Final = ("vault", "command", "systemd", "every")
_PLACES: Final = ("env", "file", "keyring")


@dataclass(frozen=True, slots=True)
class Written:
    """A secret as the file has it: its kind and where, or ``plain`` and the value."""

    kind: Literal["env", "file", "keyring", "plain", "credentials_file"]
    where: str = ""
    value: Secret | None = None


def _keyring(value: object) -> str:
    whole = scalars.text(value)
    service, _, name = whole.rpartition("/")
    if not (service and name):
        raise UnfitError("must be service/name: the keyring's service, and whose password there")
    return whole


_READ: Final[Mapping[str, Callable[[object], str]]] = {
    "env": scalars.text,
    "file": scalars.text,
    "keyring": _keyring,
}


def secret(value: object) -> Written:
    """A secret reference: a string, or a mapping of env, file or keyring."""
    if not isinstance(value, dict):
        return Written("plain", value=Secret(scalars.text(value)))
    return _reference(value, "a secret", _PLACES)


def _reference(value: dict[str, object], what: str, places: tuple[str, ...]) -> Written:
    for key in value:
        if key in _LATER:
            raise MisplacedError(
                (key,), f"`{key}` {NOT_YET}; use env, file or keyring", of_key=True
            )
        if key not in places:
            known, hint = _either(places), suggestion(key, places)
            raise MisplacedError((key,), f"unknown key; {what} has {known}{hint}", of_key=True)
    if len(value) != 1:
        raise UnfitError(f"must have exactly one of {_either(places)}")
    (kind,) = (one for one in _PLACES if one in value)
    try:
        return Written(kind, where=_READ[kind](value[kind]))
    except UnfitError as error:
        raise MisplacedError((kind,), f"`{kind}` {error}") from None


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


def _mapping(*places: str) -> dict[str, Any]:
    later = {key: {"description": NOT_YET, MARK: True} for key in _LATER}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(places, TEXT) | later,
    }


_SECRET: Final = {"anyOf": [TEXT, _mapping(*_PLACES)]}
_TOKEN: Final = {"anyOf": [TEXT, _mapping(*_PLACES, "credential")]}

SecretKey = Annotated[Written, Kind(secret, _SECRET)]
Actor: TypeAlias = Written | FromCredential
ActorKey = Annotated[Actor, Kind(_actor, _TOKEN)]
Subject: TypeAlias = Written | FromCredential | FromRequest
SubjectKey = Annotated[Subject, Kind(_subject, _TOKEN)]
