"""An entry as bytes: JSON in UTF-8, without I/O.

Moments are kept on both clocks. The monotonic one means nothing after the machine was started
anew: it is then worked out from the wall clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from proxy.clock import Moment
from proxy.secret import Secret
from proxy.tokens.ports import Entry
from proxy.tokens.session import Session
from proxy.tokens.token import RefreshToken, Token


@dataclass(frozen=True, slots=True)
class Boot:
    """Where moments are read: which start of the machine this is, and what time it is.

    Attributes:
        name: the same in all processes until the machine starts anew; empty where no system
            tells: then no monotonic time of another process is believed.
    """

    name: str
    now: Moment


def encode(entry: Entry, boot: Boot) -> bytes:
    """The entry as it is written."""
    document = {
        "boot": boot.name,
        "generation": entry.generation,
        "rejected": entry.rejected,
        "storm_until": _moment(entry.storm_until),
        "learned": entry.learned,
        "refresh": _refresh(entry.refresh),
        "token": _token(entry.token),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def decode(content: bytes, boot: Boot) -> Entry:
    """The entry that was written.

    Raises:
        ValueError: the content is no entry; the message holds nothing of it.
    """
    try:
        return _Reading(json.loads(content), boot).entry()
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("no entry of this format") from None


def _moment(moment: Moment | None) -> list[float] | None:
    return None if moment is None else [moment.monotonic, moment.wall]


def _refresh(refresh: RefreshToken | None) -> dict[str, Any] | None:
    if refresh is None:
        return None
    return {"value": refresh.value.reveal(), "expires": _moment(refresh.expires)}


def _token(token: Token | None) -> dict[str, Any] | None:
    if token is None:
        return None
    return {
        "value": token.value.reveal(),
        "field": token.field,
        "received": _moment(token.received),
        "expires": _moment(token.expires),
        "refresh": _refresh(token.refresh),
        "session": _session(token.session),
        "warnings": token.warnings,
    }


def _session(session: Session | None) -> dict[str, Any] | None:
    if session is None:
        return None
    return {"cookies": sorted(session.cookies), "entrances": sorted(session.entrances)}


class _Reading:
    """One document, read in one boot."""

    def __init__(self, document: dict[str, Any], boot: Boot) -> None:
        self._document = document
        self._now = boot.now
        self._same_boot = bool(boot.name) and document["boot"] == boot.name

    def entry(self) -> Entry:
        document = self._document
        learned = document["learned"]
        return Entry(
            token=self._token(document["token"]),
            generation=int(document["generation"]),
            refresh=self._refresh(document["refresh"]),
            rejected=int(document["rejected"]),
            storm_until=self._moment(document["storm_until"]),
            learned=None if learned is None else float(learned),
        )

    def _moment(self, pair: list[float] | None) -> Moment | None:
        return None if pair is None else self._sure(pair)

    def _sure(self, pair: list[float]) -> Moment:
        monotonic, wall = map(float, pair)
        if self._same_boot:
            return Moment(monotonic, wall)
        return Moment(self._now.monotonic + (wall - self._now.wall), wall)

    def _refresh(self, said: dict[str, Any] | None) -> RefreshToken | None:
        if said is None:
            return None
        return RefreshToken(Secret(_text(said["value"])), self._moment(said["expires"]))

    def _token(self, said: dict[str, Any] | None) -> Token | None:
        if said is None:
            return None
        return Token(
            value=Secret(_text(said["value"])),
            field=_text(said["field"]),
            received=self._sure(said["received"]),
            expires=self._moment(said["expires"]),
            refresh=self._refresh(said["refresh"]),
            session=_cookies(said["session"]),
            warnings=tuple(map(_text, said["warnings"])),
        )


def _cookies(said: dict[str, Any] | None) -> Session | None:
    if said is None:
        return None
    return Session(frozenset(said["cookies"]), frozenset(said["entrances"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value
