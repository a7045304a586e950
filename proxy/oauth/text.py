"""What of a provider's words may reach a log: short, visible, on one line, with no secret in it.

RFC 6749 section 5.2 limits ``error`` and ``error_description`` to visible ASCII and blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_plus

from proxy.secret import HIDDEN, Secret

DESCRIPTION_LENGTH: Final = 200
_CODE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")
_INVISIBLE: Final = re.compile(r"[^\x21-\x7e]+")
_SHORTEST_SECRET: Final = 4


def error_code(value: object, secrets: Iterable[Secret] = ()) -> str | None:
    """An ``error`` code fit to be shown, or None if ``value`` is none."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        return None
    return value if without(value, secrets) == value else None


def description(value: object, secrets: Iterable[Secret] = ()) -> str:
    """An ``error_description`` cleaned and cut; empty if there is none."""
    if not isinstance(value, str):
        return ""
    # Some providers repeat what they were sent: it goes before anything can cut it in two.
    text = _INVISIBLE.sub(" ", without(value, secrets)).strip()
    return text if len(text) <= DESCRIPTION_LENGTH else text[: DESCRIPTION_LENGTH - 1] + "…"


def without(text: str, secrets: Iterable[Secret]) -> str:
    """The text with every secret in it hidden, also in its percent-encoded spelling."""
    for secret in secrets:
        value = secret.reveal()
        # A shorter one would black out half of every sentence and hide nothing worth hiding.
        if len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, HIDDEN).replace(quote_plus(value), HIDDEN)
    return text
