"""Looks at a credential's secrets: that they are there, how long they are, what is odd about them.

Never shows a value, nor any part of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from proxy.config.model import Credential, SecretReference
from proxy.doctor.finding import Finding, Kind, bad, good, note
from proxy.errors import SecretError, SecretUnavailableError
from proxy.secrets.places import place
from proxy.secrets.references import source

STEP: Final = "secret"
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_QUOTES: Final = "\"'`“”‘’"
_PLACEHOLDERS: Final = re.compile(r"[<{$].*|changeme|x{3,}|\.{3}|your[-_ ].*", re.IGNORECASE)


def oddities(value: str) -> tuple[str, ...]:
    """What is odd about a secret, in words that give nothing of it away."""
    stripped = value.strip()
    found = {
        "a byte order mark in it": "\ufeff" in value,
        "a line break in it": "\n" in value or "\r" in value,
        "blanks around it": value.strip("\r\n") != stripped and bool(stripped),
        "nothing but blanks": not stripped,
        "quotes around it": len(stripped) > 1
        and stripped[0] in _QUOTES
        and stripped[-1] in _QUOTES,
        "%-escapes in it (it must stand here as it is, not encoded for a URL)": bool(
            _ESCAPE.search(value)
        ),
        "control characters in it": any(ord(one) < 32 and one not in "\r\n\t" for one in value),
        "the look of a placeholder": bool(_PLACEHOLDERS.fullmatch(stripped)),
    }
    return tuple(words for words, is_so in found.items() if is_so)


def look(credential: Credential, environ: Mapping[str, str]) -> Iterator[Finding]:
    """A finding for each secret of the credential."""
    for key, reference in named(credential):
        yield _look_at(credential.name, key, reference, environ)
    if credential.username is not None and credential.username != credential.username.strip():
        yield note(credential.name, STEP, "username has blanks around it", cause="odd_secret")


def named(credential: Credential) -> Iterator[tuple[str, SecretReference]]:
    """Every secret with its key."""
    for key in (
        "client_secret",
        "password",
        "refresh_token",
        "token",
        "client_assertion",
        "assertion",
        "subject",
        "actor",
    ):
        reference = getattr(credential, key)
        if isinstance(reference, SecretReference):
            yield key, reference
    for signing in (credential.client_signing, credential.signing):
        if signing is not None:
            yield "private_key", signing.private_key


def _look_at(
    name: str, key: str, reference: SecretReference, environ: Mapping[str, str]
) -> Finding:
    there = source(reference, environ)
    try:
        value = there.read().reveal()
    except SecretError as error:
        told, _, advice = str(error).partition("; ")
        kind, cause = Kind.CONFIGURATION, "secret_missing"
        if isinstance(error, SecretUnavailableError):
            kind, cause = Kind.UNREACHABLE, "secret_unavailable"
        return bad(name, STEP, kind, cause, f"{key}: {told}", advice)
    told = f"{key} {place(reference)}: {len(value)} character{'s' * (len(value) != 1)}"
    odd = oddities(value) if key != "private_key" else ()
    if odd:
        advice = "make sure that this belongs to it; take it away where it does not"
        return note(name, STEP, f"{told}; it has {', '.join(odd)}", advice, "odd_secret")
    exposed = there.warnings()
    if exposed:
        return note(name, STEP, f"{told}; {exposed[0]}", cause="exposed_secret")
    return good(name, STEP, told)
