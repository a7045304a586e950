"""What the ends of sessions teach about the next ones: how old they get.

A web application seldom says how long a session lives, and some say more than they keep. Pure
functions of an entry and a moment; knows neither who signs in nor how an end shows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from proxy.clock import Moment
from proxy.tokens.ports import Entry
from proxy.tokens.token import Token

LEAST: Final = 2.0
"""Seconds: what ends sooner ended for another reason, or is too short to be kept alive."""
ENOUGH: Final = 900.0
"""Seconds: signing in that rarely costs nothing, so a longer life is not tried out."""
GROWTH: Final = 1.1


def lesson(entry: Entry, now: Moment) -> float | None:
    """What it teaches that the entry's session has ended now: its age in seconds, or nothing."""
    age = _age(entry, now)
    return None if age is None or age < LEAST else age


def learned(entry: Entry, age: float | None) -> Entry:
    """The entry with the lesson in mind: the shorter life counts."""
    if age is None:
        return entry
    return replace(entry, learned=age if entry.learned is None else min(entry.learned, age))


def relearned(entry: Entry, now: Moment) -> Entry:
    """The entry before its session is replaced: one that nothing ended lets the next live longer.

    Else a single page that only looked like a sign-in would keep all later sessions short. Where
    sessions do end so soon, every few of them one is found ended, and teaches it again.
    """
    if entry.learned is None or entry.learned >= ENOUGH or not is_due(entry, now):
        return entry
    return replace(entry, learned=min(entry.learned * GROWTH, ENOUGH))


def bounded(token: Token, life: float | None) -> Token:
    """The token, ended when it is so old at the latest; any but a session's stays as it is."""
    if token.session is None or life is None:
        return token
    end = token.received.later(life)
    sooner = token.expires is None or token.expires.until(end) < 0
    return replace(token, expires=end) if sooner else token


def is_due(entry: Entry, now: Moment) -> bool:
    """Whether the session is past half of what such sessions live: its end is no surprise."""
    age = _age(entry, now)
    return age is not None and entry.learned is not None and age >= entry.learned / 2


def _age(entry: Entry, now: Moment) -> float | None:
    if entry.token is None or entry.token.session is None:
        return None
    return entry.token.received.until(now)
