"""What is known of a configuration that is not written yet: one credential and its route.

Knows nothing of files or terminals; no secret in it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from proxy.errors import DraftError
from proxy.secret import Secret

SECRET_KEYS: Final = (
    "client_secret",
    "password",
    "refresh_token",
    "token",
    "private_key",
    "assertion",
    "subject",
    "actor",
)
"""The keys of a credential whose value must not stand in the file."""

_PLACES: Final = ("env", "file", "keyring")
_SWITCHES: Final = ("paste", "required", "allow_insecure")
_NUMBERS: Final = ("redirect_port",)
_LISTS: Final = ("use", "audience", "resource", "cookies")
_WORDS: Final = {"true": True, "false": False}

Place: TypeAlias = Mapping[str, str]
"""Where a secret is already: ``{"env": NAME}``, ``{"file": path}``, ``{"keyring": …}``."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One credential and its route.

    Attributes:
        keys: the credential's, as the file has them, without secrets.
        secrets: by key: a value that has to be kept somewhere, or where it is already.
        route: the route's keys beside ``upstream``.
        notes: what was found and has no place here, in words for whoever asked.
    """

    keys: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, Secret | Place] = field(default_factory=dict)
    upstream: str | None = None
    route: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def has(self, key: str) -> bool:
        """Whether the credential has that key, secret or not."""
        return key in self.keys or key in self.secrets

    def having(self, key: str, value: object) -> Draft:
        """The same with one more key of the credential; dots lead into a mapping."""
        return replace(self, keys=_inserted(self.keys, key.split("."), value))

    def hiding(self, key: str, value: Secret | Place) -> Draft:
        """The same with one more secret."""
        return replace(self, secrets={**self.secrets, key: value})

    def noting(self, *notes: str) -> Draft:
        """The same with more to tell."""
        return replace(self, notes=(*self.notes, *notes))

    @property
    def grant(self) -> str:
        """The grant that is written, or the one that is meant without."""
        return str(self.keys.get("grant", "client_credentials"))


def _inserted(keys: Mapping[str, object], trail: list[str], value: object) -> Mapping[str, object]:
    first, *further = trail
    if not further:
        return {**keys, first: value}
    inner = keys.get(first, {})
    return {**keys, first: _inserted(inner if isinstance(inner, dict) else {}, further, value)}


def setting(draft: Draft, written: str) -> Draft:
    """``draft`` with a ``KEY=VALUE`` that somebody gave.

    Raises:
        DraftError: it is none, or would put a secret where others can read it.
    """
    key, equals, value = written.partition("=")
    if not (key and equals and value):
        raise DraftError("--set takes KEY=VALUE, such as --set client_id=my-tool")
    if key in SECRET_KEYS and not (key == "subject" and value == "request"):
        raise DraftError(
            f"{key} is a secret: the process list shows it. Give its place instead: "
            f"--secret {key}=file:PATH, env:NAME or keyring:SERVICE/NAME"
        )
    return draft.having(key, _value(key, value))


def _value(key: str, value: str) -> object:
    if key in _SWITCHES:
        return _WORDS.get(value, value)
    if key in _NUMBERS and value.isdecimal():
        return int(value)
    return value.split(",") if key in _LISTS and "," in value else value


def placing(draft: Draft, written: str) -> Draft:
    """``draft`` with a ``KEY=KIND:WHERE`` that says where a secret is.

    Raises:
        DraftError: it does not say that; the value is not repeated, it may be the secret.
    """
    key, _, place = written.partition("=")
    kind, colon, where = place.partition(":")
    if key not in SECRET_KEYS:
        raise DraftError(f"--secret takes one of {', '.join(SECRET_KEYS)}, then =PLACE")
    if kind not in (*_PLACES, "credential") or not (colon and where):
        raise DraftError(f"--secret {key}= takes env:NAME, file:PATH or keyring:SERVICE/NAME")
    return draft.hiding(key, {kind: where})
