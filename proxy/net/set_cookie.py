"""Reads a ``Set-Cookie`` value: RFC 6265 section 5.2, and how long the cookie lives.

Knows nothing of where it came from. ``Expires`` counts from the answer's own ``Date``: a server's
clock that is wrong shortens no cookie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.message import Answer
from proxy.oauth.dates import http_date

_SENDABLE: Final = re.compile(r"[\x20-\x3a\x3c-\x7e]*")
_DIGITS: Final = re.compile(r"-?[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """A cookie as a server sets it.

    Attributes:
        attributes: names in lower case, of repeated ones the last.
        lifetime: seconds from the answer, not above 0 for one that is taken back; None: it says
            no end.
    """

    name: str
    value: str = field(repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)
    lifetime: float | None = None


def set_cookie(text: str, answer: Answer) -> SetCookie | None:
    """The cookie, or None for one without a name or that can't go into a header."""
    pair, *rest = text.split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not name or not equals or not _SENDABLE.fullmatch(name + value):
        return None
    attributes = {
        key.strip().lower(): told.strip() for key, _, told in (one.partition("=") for one in rest)
    }
    return SetCookie(name, value, attributes, _lifetime(attributes, answer))


def _lifetime(attributes: Mapping[str, str], answer: Answer) -> float | None:
    """``Max-Age`` goes before ``Expires`` (section 5.3)."""
    seconds = attributes.get("max-age", "")
    if _DIGITS.fullmatch(seconds):
        return float(seconds)
    end = http_date(attributes.get("expires", ""))
    if end is None:
        return None
    date = http_date(answer.headers.get("date", ""))
    return end - (answer.received.wall if date is None else date)
