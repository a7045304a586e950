"""One token request, as the sidecar would make it, and the cause where none comes.

A rotating refresh token is renewed in the store under its lock, or not used at all; a person is
never asked, and a person's password is sent once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from proxy.config.model import BY_PERSON, Credential, FromRequest, Grant
from proxy.doctor import answer, issuer
from proxy.doctor.finding import Finding, Kind, bad, good, note
from proxy.doctor.provider import kind_of
from proxy.doctor.recorder import Recorder
from proxy.doctor.surgery import Surgery
from proxy.errors import Explanation, StoreError, TokenRequestError
from proxy.idp.explaining import explain
from proxy.message import Answer
from proxy.oauth.response import UnusableAnswerError
from proxy.tokens.ports import Entry
from proxy.tokens.token import Token

STEP: Final = "token"
ENOUGH: Final = 30.0
"""Seconds that a stored token must have left to be looked at instead of a new one."""
_OUT_OF_PLACE: Final = frozenset({404, 405})


@dataclass(slots=True)
class Asked:
    """What one credential's asking came to; ``token`` None where none came."""

    credential: Credential
    sender: Recorder
    token: Token | None = None


async def ask(surgery: Surgery, asked: Asked) -> AsyncIterator[Finding]:
    """Ask once; the findings, the last of which is bad where no token came."""
    name = asked.credential.name
    skipped = _not_asked(surgery, asked.credential)
    if skipped is not None:
        yield skipped
        return
    try:
        entry = await surgery.stored(asked.credential)
        if asked.credential.grant in BY_PERSON:
            found = _login_state(surgery, asked.credential, entry)
            yield found
            if found.kind is not None:
                return
        asked.token = await _token(surgery, asked, entry)
    except StoreError as error:
        yield bad(name, "store", Kind.CONFIGURATION, "store", str(error))
    except TokenRequestError as error:
        yield await _refused(asked, error)
    else:
        yield good(name, STEP, _how(asked))
        for found in answer.describe(asked.credential, asked.token, asked.sender.posted):
            yield found


async def _token(surgery: Surgery, asked: Asked, entry: Entry) -> Token:
    """The stored one of a person while it lasts, else a new one."""
    stored, now = entry.token, surgery.clock.now()
    ends = None if stored is None else stored.expires
    if asked.credential.grant in BY_PERSON and stored is not None:
        lasts = ends is not None and now.until(ends) > ENOUGH
        if lasts or entry.refresh is None:
            return stored
    renewed = await surgery.renewal(asked.credential, asked.sender).run(entry, forced=True)
    if renewed.entry.token is None:
        raise ValueError("a renewal gives a token or raises")
    return renewed.entry.token


def _not_asked(surgery: Surgery, credential: Credential) -> Finding | None:
    if isinstance(credential.subject, FromRequest):
        told = "not asked for: each caller's own token is exchanged (subject: request)"
        return note(credential.name, STEP, told, "send a request with a bearer through the sidecar")
    if credential.grant is Grant.REFRESH_TOKEN and surgery.config.store is None:
        return note(
            credential.name,
            STEP,
            "not asked for: the provider may take the configured refresh token back when it is"
            " used, and nothing would keep the new one (store: memory)",
            "set store: {file: ~/.local/state/token-sidecar/tokens}",
            "refresh_would_be_lost",
        )
    return None


def _login_state(surgery: Surgery, credential: Credential, entry: Entry) -> Finding:
    name, step = credential.name, "login"
    if entry.token is None and entry.refresh is None:
        told, advice = "nobody has logged in yet", f"run: token-sidecar login {name}"
        return bad(name, step, Kind.REFUSED, "login_needed", told, advice)
    if entry.refresh is None:
        told = "somebody has logged in, but nothing was kept to renew it with"
        advice = "add offline_access to scope, then log in again"
        return note(name, step, told, advice, "login_not_renewable")
    ends = entry.refresh.expires
    if ends is None:
        return good(name, step, "somebody has logged in, and it can be renewed")
    left = surgery.clock.now().until(ends)
    return good(name, step, f"somebody has logged in; it can be renewed for {left:.0f} s more")


def _how(asked: Asked) -> str:
    posted = asked.sender.posted
    if posted is None:
        return "there is one, nobody was asked"
    once = asked.credential.grant in {Grant.PASSWORD, Grant.SESSION}
    return "the provider gave one" + (" (asked once: accounts lock)" if once else "")


async def _refused(asked: Asked, error: TokenRequestError) -> Finding:
    credential, said = asked.credential, asked.sender.posted
    if isinstance(error, UnusableAnswerError) and error.missing:
        return answer.missing(credential, said)
    if error.reason == "login_needed" or credential.grant is Grant.SESSION or said is None:
        return _plain(credential, error)
    row = None if isinstance(error, UnusableAnswerError) else await _row(asked, said)
    if row is None:
        return _plain(credential, error)
    told = f"{str(error).partition('; ')[0]}. {row.meaning[0].upper()}{row.meaning[1:]}"
    return bad(credential.name, STEP, kind_of(error), row.cause, told, _advice(credential, row))


async def _row(asked: Asked, said: Answer) -> Explanation | None:
    """The table's row; at an address that has no token endpoint rather the right address."""
    provider = asked.credential.provider
    url = (provider.token_url or provider.issuer or "") if provider is not None else ""
    if said.status in _OUT_OF_PLACE:
        elsewhere = await issuer.look_for(url, asked.sender)
        if elsewhere is not None:
            return Explanation(elsewhere.cause, elsewhere.told, elsewhere.advice)
    return explain(asked.credential, said)


def _advice(credential: Credential, row: Explanation) -> str:
    if credential.grant is not Grant.PASSWORD:
        return row.advice
    return f"{row.advice} (asked once: accounts lock)"


def _plain(credential: Credential, error: TokenRequestError) -> Finding:
    told, _, advice = str(error).partition("; ")
    kind = Kind.CONFIGURATION if error.reason == "secret" else kind_of(error)
    return bad(credential.name, STEP, kind, error.reason, told, advice)
