"""Small damage to bytes, where parsers differ: line ends, colons, digits, spaces, controls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

PLACES = re.compile(rb"\r\n|[:,; \d\n\r]")
INSERTED = (
    b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\t", b"\x00", b"\x0b", b"\x0c", b"\x7f",
    b"\x85", b"\xa0", b"0", b"+", b"-", b",", b":", b"_", b"\r\r\n", b"\\", b"#", b"\r\n ",
)  # fmt: skip
ENDS = (b"\n\n", b"\n\r\n", b"\r\n\n", b"\r\r\n", b"\n\n\n\n", b"\r\n\r", b"\r\n \r\n", b"\n\r\n\r")


def picked(random: Random, usual: Sequence[bytes], odd: Sequence[bytes], chance: float) -> bytes:
    """One of the usual ones, or with this chance an odd one."""
    return random.choice(odd if random.random() < chance else usual)


def mutated(random: Random, raw: bytes) -> bytes:
    """The same with one thing changed."""
    ways = (_insert, _insert, _replace, _delete, _line_twice, _other_case, _cut, _other_end)
    return random.choice(ways)(random, raw)


def _place(random: Random, raw: bytes) -> tuple[int, int]:
    """Somewhere interesting, mostly."""
    places = list(PLACES.finditer(raw)) if random.random() < 0.8 else []
    if places:
        return random.choice(places).span()
    start = random.randrange(len(raw) + 1)
    return start, min(start + 1, len(raw))


def _insert(random: Random, raw: bytes) -> bytes:
    at = random.choice(_place(random, raw))
    return raw[:at] + random.choice(INSERTED) + raw[at:]


def _replace(random: Random, raw: bytes) -> bytes:
    start, end = _place(random, raw)
    return raw[:start] + random.choice(INSERTED) + raw[end:]


def _delete(random: Random, raw: bytes) -> bytes:
    start, end = _place(random, raw)
    return raw[:start] + raw[end:]


def _line_twice(random: Random, raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    line = random.choice(lines)
    lines.insert(random.randrange(len(lines) + 1), line)
    return b"\r\n".join(lines)


def _other_case(random: Random, raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    number = random.randrange(len(lines))
    lines[number] = lines[number].swapcase()
    return b"\r\n".join(lines)


def _other_end(random: Random, raw: bytes) -> bytes:
    """Another end of the first head; cut off there it is like one that was seen before."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    return head + random.choice(ENDS) + rest[: random.choice((0, 1, 2, 100))]


def _cut(random: Random, raw: bytes) -> bytes:
    return raw[: random.randrange(len(raw) + 1)]
