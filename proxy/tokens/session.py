"""What tells a session's cookies from a bearer token: which cookies, and where it began.

Knows no HTTP; who forwards requests recognizes by it that a session has ended.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """Goes with a token whose value is a ``Cookie`` field's.

    Attributes:
        cookies: names of the cookies that the value consists of.
        entrances: where a request without a session is sent to, as ``scheme://authority/path``
            without query: an answer that redirects to one of them means that it has ended.
    """

    cookies: frozenset[str]
    entrances: frozenset[str] = frozenset()
