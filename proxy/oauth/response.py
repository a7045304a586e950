"""Reads a token endpoint's answer: RFC 6749 section 5, a pure function to a token or its absence.

Decides which field is the token and whether it may go on a request; ``refusal`` judges answers
that are errors, ``lifetime`` the time. Never shows a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import jwt, lifetime
from proxy.oauth.body import json_object, parse
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.refusal import redirect, refusal
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken, Token

VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


class UnusableAnswerError(TokenRequestError):
    """A successful answer that brought no usable token.

    Attributes:
        refresh: the refresh token that came all the same: it may have replaced the old one, so
            it has to be kept (RFC 6749 section 6).
        missing: none of the wanted fields was there.
    """

    def __init__(self, message: str, *, reason: str = "no_token", missing: bool = False) -> None:
        super().__init__(message, failure=Failure.TRANSIENT, reason=reason)
        self.missing = missing
        self.refresh: RefreshToken | None = None


def read(answer: Answer, about: Circumstances) -> Token:
    """The token of an answer.

    Raises:
        UnusableAnswerError: a successful answer without a token that may be used.
        TokenRequestError: any other answer.
    """
    if 300 <= answer.status < 400:
        raise redirect(answer, about.where)
    if not 200 <= answer.status < 300:
        raise refusal(answer, parse(answer.body) or {}, about)
    content = json_object(answer, about.where)
    if content.get("error"):
        raise refusal(answer, content, about)
    refresh, warnings = _refresh_token(answer, content, about)
    try:
        return _token(answer, content, about, refresh, warnings)
    except UnusableAnswerError as error:
        error.refresh = refresh
        raise


def _token(
    answer: Answer,
    content: Mapping[str, Any],
    about: Circumstances,
    refresh: RefreshToken | None,
    warnings: tuple[str, ...],
) -> Token:
    field, value = _value(content, about)
    _check_type(content, field, about)
    warnings = (*warnings, *_check_issued(content, about))
    claims = jwt.claims(value)
    # expires_in is about the access token; it is a guess for another one that does not say itself.
    counts = field == "access_token" or claims is None
    ends = lifetime.judge(
        answer,
        _member(content, "expires_in", about) if counts else None,
        claims,
        about.default_lifetime,
        about.until,
    )
    if answer.received.until(ends.expires) <= 0:
        raise UnusableAnswerError(
            f"{about.where} sent a token that has already ended; compare the two clocks",
            reason="expired",
        )
    return Token(
        value=Secret(value),
        field=field,
        received=answer.received,
        expires=ends.expires,
        refresh=refresh,
        warnings=(*warnings, *ends.warnings),
    )


def _value(content: Mapping[str, Any], about: Circumstances) -> tuple[str, str]:
    for field in about.use:
        value = content.get(field)
        if value is None or value == "":
            continue
        if not isinstance(value, str) or not VISIBLE.fullmatch(value):
            raise UnusableAnswerError(
                f"{about.where} sent a {field} that is not visible ASCII: it can't go into a header"
            )
        return field, value
    raise UnusableAnswerError(
        f"{about.where} answered without {' or '.join(about.use)}; see `use` and `scope`",
        missing=True,
    )


def _check_type(content: Mapping[str, Any], field: str, about: Circumstances) -> None:
    """RFC 6749 section 7.1: a token of a type that is not understood must not be used.

    An exchange may bring what is no access token: ``N_A`` (RFC 8693 section 2.2.1).
    """
    kind = _member(content, "token_type", about)
    if kind is None and (field != "access_token" or about.json):
        return
    understood = {"bearer", "n_a"} if about.exchange else {"bearer"}
    if not isinstance(kind, str) or kind.lower() not in understood:
        raise UnusableAnswerError(
            f"{about.where} sent no token_type Bearer: its token can't be used as one"
        )


def _check_issued(content: Mapping[str, Any], about: Circumstances) -> tuple[str, ...]:
    """RFC 8693 section 2.2.1: what came must be what was asked for; a warning if nobody says."""
    issued = content.get("issued_token_type")
    if about.requested_type is None or issued == about.requested_type:
        return ()
    if issued is None:
        return ("the provider does not say what type of token it issued (RFC 8693)",)
    raise UnusableAnswerError(
        f"{about.where} issued a token of another type than {about.requested_type};"
        " see `requested_type`",
        reason="issued_token_type",
    )


def _member(content: Mapping[str, Any], name: str, about: Circumstances) -> object:
    """A member of the answer, by the name that an endpoint of its own style gives it too."""
    value = content.get(name)
    if value is not None or not about.json:
        return value
    first, *others = name.split("_")
    return content.get(first + "".join(word.capitalize() for word in others))


def _refresh_token(
    answer: Answer, content: Mapping[str, Any], about: Circumstances
) -> tuple[RefreshToken | None, tuple[str, ...]]:
    value = _member(content, "refresh_token", about)
    if value is None or value == "":
        return None, ()
    if not isinstance(value, str) or not VISIBLE.fullmatch(value):
        return None, ("the provider sent a refresh token that is not visible ASCII: ignored",)
    # 0 is never (Keycloak's offline tokens), and nonsense says as little as nothing.
    span = lifetime.seconds(_member(content, "refresh_expires_in", about))
    expires = None if span is None else answer.sent.later(span)
    return RefreshToken(Secret(value), expires), ()
