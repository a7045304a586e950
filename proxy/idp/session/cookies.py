"""From the cookies that a login left to the token: which ones, until when, and how it looks.

Knows nothing of pages. RFC 6265 sections 4.2 and 5.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from proxy.clock import Moment
from proxy.idp.session import faults
from proxy.idp.session.login import Arrival
from proxy.net.browser import Browser, Cookie
from proxy.secret import Secret
from proxy.tokens.session import Session
from proxy.tokens.token import Token

FIELD: Final = "cookie"
_PIECE: Final = re.compile(r"_[0-9]{1,3}")
"""What oauth2-proxy puts behind the name of a cookie that it had to cut in pieces."""


def token(
    browser: Browser, arrival: Arrival, wanted: Sequence[str], received: Moment, default: float
) -> Token:
    """The session as a token.

    Args:
        browser: as the login left it.
        arrival: where that ended.
        wanted: names of the cookies to send; empty: all that go there.
        received: when the last answer came.
        default: seconds that it lives where no cookie says an end.

    Raises:
        TokenRequestError: the host set no cookie of those.
    """
    there = browser.cookies(arrival.url)
    cookies = [one for one in there if not wanted or _is_wanted(one.name, wanted)]
    missing = [name for name in wanted if not any(_is_wanted(one.name, [name]) for one in cookies)]
    new = arrival.good or any(one.turn > arrival.before for one in cookies)
    if not cookies or missing or not new:
        host = urlsplit(arrival.url).hostname or ""
        raise faults.no_cookie(host, missing, [one.name for one in there])
    return Token(
        value=Secret("; ".join(f"{one.name}={one.value}" for one in cookies)),
        field=FIELD,
        received=received,
        expires=_earliest(cookies) or received.later(default),
        session=Session(frozenset(one.name for one in cookies), arrival.entrances),
        warnings=_warnings(browser),
    )


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return any(
        name == one or (name.startswith(one) and _PIECE.fullmatch(name, len(one))) for one in wanted
    )


def _earliest(cookies: Sequence[Cookie]) -> Moment | None:
    ends = [one.ends for one in cookies if one.ends is not None]
    return min(ends, key=lambda moment: moment.monotonic, default=None)


def _warnings(browser: Browser) -> tuple[str, ...]:
    if not browser.odd:
        return ()
    return (f"{browser.odd} cookies without a name, or that no header can carry, are ignored",)
