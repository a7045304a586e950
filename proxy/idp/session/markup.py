"""Cuts HTML into tags and text in linear time: the part of WHATWG HTML section 13.2.5 for forms.

Knows no meaning of any element. The standard library's parser is not used: it takes minutes for a
hostile page of 64 KiB, and this runs in the event loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Final

_NAME: Final = re.compile(r"[^\s/>]+")
_BETWEEN: Final = re.compile(r"[\s/]*")
_ATTRIBUTE: Final = re.compile(r"=?[^\s/>=]*")
_EQUALS: Final = re.compile(r"\s*=\s*")
_BARE: Final = re.compile(r"[^\s>]*")
_SILENT: Final = frozenset({"script", "style", "iframe", "noembed", "noframes", "xmp"})
_CLOSING: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in _SILENT | {"title", "textarea"}
}
"""Elements that hold no elements, with what ends them."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start tag; names in lower case, of repeated attributes the first."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """An end tag."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """Characters between tags, with their references resolved."""

    content: str


Piece = Start | End | Text


def pieces(markup: str) -> Iterator[Piece]:
    """The tags and texts of a page, whatever it holds; what never ends is left out."""
    at = 0
    while 0 <= at < len(markup):
        opening = markup.find("<", at)
        end = len(markup) if opening < 0 else opening
        if end > at:
            yield Text(unescape(markup[at:end]))
        if opening < 0:
            return
        piece, at = _tag(markup, opening)
        if piece is not None:
            yield piece
        if isinstance(piece, Start) and piece.name in _CLOSING and at >= 0:
            content, at = _raw(markup, at, piece.name)
            if content:
                yield Text(content)


def _tag(markup: str, at: int) -> tuple[Piece | None, int]:
    """What begins at the ``<``, and where it ends; -1 where it never does."""
    second = markup[at + 1 : at + 2]
    if second.isascii() and second.isalpha():
        return _start(markup, at + 1)
    if second == "/":
        name = _NAME.match(markup, at + 2)
        end = _after(markup, ">", at + 2)
        return (End(name[0].lower()) if name else None), end
    if second in {"!", "?"}:
        comment = markup.startswith("<!--", at)
        return None, _after(markup, "-->" if comment else ">", at + 2)
    return Text("<"), at + 1


def _start(markup: str, at: int) -> tuple[Piece | None, int]:
    name = _matched(_NAME, markup, at)
    at += len(name)
    attributes: dict[str, str] = {}
    while True:
        at += len(_matched(_BETWEEN, markup, at))
        if at >= len(markup):
            return None, -1
        if markup[at] == ">":
            return Start(name.lower(), attributes), at + 1
        key = _matched(_ATTRIBUTE, markup, at)
        value, at = _value(markup, at + len(key))
        if at < 0:
            return None, -1
        attributes.setdefault(key.lower(), value)


def _value(markup: str, at: int) -> tuple[str, int]:
    equals = _EQUALS.match(markup, at)
    if equals is None:
        return "", at
    at = equals.end()
    quote = markup[at : at + 1]
    if quote in {'"', "'"}:
        end = markup.find(quote, at + 1)
        return ("", -1) if end < 0 else (unescape(markup[at + 1 : end]), end + 1)
    bare = _matched(_BARE, markup, at)
    return unescape(bare), at + len(bare)


def _raw(markup: str, at: int, name: str) -> tuple[str, int]:
    """The content of an element without elements, empty for what nobody reads."""
    closing = _CLOSING[name].search(markup, at)
    end = len(markup) if closing is None else closing.start()
    return ("" if name in _SILENT else unescape(markup[at:end])), end


def _after(markup: str, what: str, at: int) -> int:
    end = markup.find(what, at)
    return -1 if end < 0 else end + len(what)


def _matched(pattern: re.Pattern[str], markup: str, at: int) -> str:
    match = pattern.match(markup, at)
    return match[0] if match else ""
