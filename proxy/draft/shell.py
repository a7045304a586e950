"""Finds the ``curl`` commands in pasted text and takes their options apart.

Reads what a shell would: quotes, lines that go on, several commands, ``$( … )``. Runs nothing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.errors import DraftError

_LARGEST: Final = 1 << 20
_ENDS: Final = frozenset(";|&()\n`")
_COMMENT: Final = re.compile(r"(?m)^[ \t]*#.*$")
_PROMPT: Final = re.compile(r"(?m)^[ \t]*[$>] +")
_SHORT: Final = {
    "u": "user",
    "d": "data",
    "H": "header",
    "X": "request",
    "x": "proxy",
    "E": "cert",
    "k": "insecure",
    "F": "form",
    "b": "cookie",
    "G": "get",
    "I": "head",
    "T": "upload-file",
}
_SHORT_WITH_VALUE: Final = frozenset("udHXxEFboAewmUTcrCDKYyPtz")
_LONG_ALONE: Final = frozenset(
    (
        *("basic", "compressed", "fail", "fail-with-body", "get", "globoff", "head", "include"),
        *("insecure", "ipv4", "ipv6", "location", "location-trusted", "no-buffer", "raw"),
        *("no-keepalive", "no-progress-meter", "path-as-is", "progress-bar", "remote-name"),
        *("show-error", "silent", "verbose", "http1.1", "http2", "tlsv1.2"),
    )
)


@dataclass(frozen=True, slots=True, repr=False)
class Curl:
    """One command; ``options`` by curl's long names, in their order. They hold secrets."""

    url: str
    options: tuple[tuple[str, str], ...]

    def all(self, *names: str) -> Iterator[tuple[str, str]]:
        """Those options of the given names."""
        return (one for one in self.options if one[0] in names)

    def last(self, name: str) -> str | None:
        """What an option that counts once says."""
        found = [value for _, value in self.all(name)]
        return found[-1] if found else None


def commands(text: str) -> list[Curl]:
    """Every ``curl`` command in ``text``.

    Raises:
        DraftError: there is none, or one can't be read.
    """
    if len(text) > _LARGEST:
        raise DraftError("the text is larger than 1 MiB: is it a curl command?")
    try:
        words = list(_words(text))
    except ValueError:
        raise DraftError("a quote is never closed: paste the whole curl command") from None
    found = [_command(part) for part in _parts(words)]
    if not found:
        raise DraftError("there is no curl command in it: paste one that begins with `curl`")
    return found


def _words(text: str) -> Iterator[str]:
    joined = re.sub(r"\\\r?\n", " ", text).replace("\r\n", "\n")
    lexer = shlex.shlex(
        _PROMPT.sub("", _COMMENT.sub("", joined)), posix=True, punctuation_chars=";|&()\n`"
    )
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    return iter(lexer)


def _parts(words: list[str]) -> Iterator[list[str]]:
    """The arguments of each ``curl``."""
    part: list[str] | None = None
    for word in words:
        if word and set(word) <= _ENDS:
            if part is not None:
                yield part
            part = None
        elif part is not None:
            part.append(word)
        elif word.rpartition("/")[2] in ("curl", "curl.exe"):
            part = []
    if part is not None:
        yield part


def _command(arguments: list[str]) -> Curl:
    options, urls, rest = [], [], iter(arguments)
    for word in rest:
        if word.startswith("--"):
            options.append(_long(word[2:], rest))
        elif word.startswith("-") and len(word) > 1:
            options += _short(word[1:], rest)
        else:
            urls.append(word)
    urls += [value for name, value in options if name == "url"]
    if not urls:
        raise DraftError("a curl command has no URL: paste all of its lines")
    url = urls[0] if "://" in urls[0] else f"https://{urls[0]}"
    return Curl(url, tuple(options))


def _long(word: str, rest: Iterator[str]) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if name in _LONG_ALONE:
        return name, ""
    return name, value if equals else _next(name, rest)


def _short(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """``-sSXPOST`` and the like: the first letter that takes a value takes all that follows."""
    for index, letter in enumerate(letters):
        name = _SHORT.get(letter, letter)
        if letter in _SHORT_WITH_VALUE:
            yield name, letters[index + 1 :] or _next(f"-{letter}", rest)
            return
        yield name, ""


def _next(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        shown = name if name.startswith("-") else f"--{name}"
        known = re.fullmatch(r"-{0,2}[a-z0-9.-]{1,32}", shown, re.IGNORECASE)
        raise DraftError(f"curl's {shown if known else 'last option'} has no value")
    return value
