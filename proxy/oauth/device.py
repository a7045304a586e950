"""Logging in on another device: RFC 8628, the two answers and when to ask again.

Decides what a person is shown and how long a poll waits; sends nothing, waits for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from proxy.clock import Moment
from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import lifetime, response
from proxy.oauth.body import json_object, parse
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.refusal import redirect, refusal
from proxy.oauth.response import VISIBLE
from proxy.secret import Secret
from proxy.tokens.token import Token

INTERVAL: Final = 5.0
"""Seconds between polls where the provider names none (section 3.2)."""
MORE: Final = 5.0
"""Seconds that ``slow_down`` adds to all later polls (section 3.5)."""
LONGEST_INTERVAL: Final = 60.0
LIFETIME: Final = 600.0
"""Seconds that a code lasts where the provider's word makes no sense."""

_USER_CODE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?")


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """What a person needs, and what we poll with (section 3.2).

    Attributes:
        user_code: to type in at ``verification_uri``; visible ASCII and blanks.
        complete: the same address with the code in it already, where there is one.
        expires: when the codes end.
        interval: seconds between two polls, at first.
    """

    device_code: Secret
    user_code: str
    verification_uri: str
    complete: str | None
    expires: Moment
    interval: float


@dataclass(frozen=True, slots=True)
class Pending:
    """No decision yet; ``slower``: the provider wants to be asked less often."""

    slower: bool


def read(answer: Answer, about: Circumstances) -> DeviceAuthorization:
    """The codes in a device authorization answer.

    Raises:
        TokenRequestError: there are none, or they can't be shown to a person.
    """
    if 300 <= answer.status < 400:
        raise redirect(answer, about.where)
    if not 200 <= answer.status < 300:
        raise refusal(answer, parse(answer.body) or {}, about)
    content = json_object(answer, about.where)
    if content.get("error"):
        raise refusal(answer, content, about)
    complete = content.get("verification_uri_complete")
    return DeviceAuthorization(
        device_code=Secret(_text(content, "device_code", VISIBLE, about)),
        user_code=_text(content, "user_code", _USER_CODE, about),
        verification_uri=_address(_first(content, "verification_uri", "verification_url"), about),
        complete=None if complete is None else _address(complete, about),
        expires=answer.sent.later(lifetime.seconds(content.get("expires_in")) or LIFETIME),
        interval=min(lifetime.seconds(content.get("interval")) or INTERVAL, LONGEST_INTERVAL),
    )


def read_token(answer: Answer, about: Circumstances) -> Token | Pending:
    """What a poll brought (section 3.5).

    Raises:
        TokenRequestError: the person said no, the code has ended, or anything else that polling
            on does not mend.
    """
    try:
        return response.read(answer, about)
    except TokenRequestError as error:
        match error.error:
            case "authorization_pending" | "slow_down":
                return Pending(error.error == "slow_down")
            case "access_denied":
                raise _ended("the login was denied: log in again and accept", error) from None
            case "expired_token":
                raise _ended(
                    "the code was not used in time: log in again for a new one", error
                ) from None
            case _:
                raise


def next_interval(interval: float, came: Pending | TokenRequestError) -> float:
    """Seconds to the next poll: 5 more for ``slow_down``, twice as many if nothing came."""
    if isinstance(came, TokenRequestError):
        return min(interval * 2, LONGEST_INTERVAL)
    return min(interval + MORE, LONGEST_INTERVAL) if came.slower else interval


def _ended(message: str, error: TokenRequestError) -> TokenRequestError:
    reason = "denied" if error.error == "access_denied" else "expired_code"
    return TokenRequestError(message, failure=Failure.TERMINAL, reason=reason, error=error.error)


def _first(content: Mapping[str, Any], *names: str) -> object:
    """The value under the standard's name, or under the one of its drafts (Google)."""
    return next((content[name] for name in names if content.get(name)), None)


def _text(
    content: Mapping[str, Any], name: str, shape: re.Pattern[str], about: Circumstances
) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not shape.fullmatch(value):
        raise _unusable(name, about)
    return value


def _address(value: object, about: Circumstances) -> str:
    """A URL that a person may be sent to: shown in a terminal, so nothing but visible ASCII."""
    try:
        parts = urlsplit(value) if isinstance(value, str) and VISIBLE.fullmatch(value) else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in {"https", "http"} or not parts.hostname:
        raise _unusable("verification_uri", about)
    return parts.geturl()


def _unusable(name: str, about: Circumstances) -> TokenRequestError:
    return TokenRequestError(
        f"{about.where} answered without a usable {name}; is this the device authorization"
        " endpoint? Check device_url",
        failure=Failure.TRANSIENT,
        reason="unreadable",
    )
