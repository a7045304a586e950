"""Numbers and moments as people read them in a terminal; nothing that came from elsewhere moves it.

What others wrote may hold control characters: they would be obeyed.
"""

from __future__ import annotations

import math
from datetime import datetime


def clean(text: object) -> str:
    """Visible characters alone."""
    return "".join(one if one.isprintable() else "�" for one in str(text))


def span(seconds: float) -> str:
    """A length of time."""
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min {left % 60} s"
    if left < 86_400:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86_400} d {left % 86_400 // 3600} h"


def taken(seconds: float | None) -> str:
    """How long an answer took; None: there was none."""
    if seconds is None:
        return "–"
    if math.isinf(seconds):
        return "> 60 s"
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def rate(per_second: float) -> str:
    """Requests a second."""
    return f"{per_second:.1f}/s" if 0 < per_second < 10 else f"{per_second:,.0f}/s"


def many(number: int, one: str) -> str:
    """So many of something."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def moment(at: str | float) -> str:
    """A moment by the clock on the wall; RFC 3339, or seconds since the epoch."""
    told = (
        datetime.fromisoformat(at)
        if isinstance(at, str)
        else datetime.fromtimestamp(at).astimezone()
    )
    local = told.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if today else "%d %b, %H:%M:%S")


def since(at: str, now: float) -> float:
    """Seconds from a moment (RFC 3339) to ``now``."""
    return now - datetime.fromisoformat(at).timestamp()


def sentence(text: str) -> str:
    """With its full stop."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def capital(text: str) -> str:
    """Words that began small behind a colon, as a sentence of their own."""
    return sentence(text[:1].upper() + text[1:])
