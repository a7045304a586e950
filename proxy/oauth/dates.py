"""Reads the dates of HTTP fields: RFC 9110 section 5.6.7."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime


def http_date(text: str) -> float | None:
    """Seconds since the epoch, or None if ``text`` is no date."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None
