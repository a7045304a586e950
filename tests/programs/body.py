"""The body that every program here sends and expects, and its checksum."""

from __future__ import annotations

import hashlib
import itertools


def pattern(size: int) -> bytes:
    """So many bytes, in a row that has no power of two for its length."""
    return bytes(itertools.islice(itertools.cycle(range(251)), size))


def checksum(size: int) -> str:
    """What a program reports that has seen ``pattern(size)``."""
    return hashlib.sha256(pattern(size)).hexdigest()
