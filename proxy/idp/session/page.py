"""Reads a page's forms, links and notices: what a person could press, and what they are told.

Decides nothing about which of them lead anywhere. WHATWG HTML section 4.10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.idp.session.markup import End, Start, Text, pieces

LARGEST: Final = 256 << 10
"""Characters of a page that are read: no sign-in form stands further down."""
_LONGEST_TEXT: Final = 500
_MOST: Final = 200
"""Forms, links or notices, and fields of one form, that are looked at."""
_NOTICES: Final = ("error", "alert", "invalid", "feedback")
_VOID: Final = frozenset({"input", "br", "img", "hr", "meta", "link", "wbr", "base"})


@dataclass(frozen=True, slots=True)
class Field:
    """A control with a name.

    Attributes:
        kind: an ``input``'s type, else submit, select or textarea; lower case.
        hints: what else tells what it is for: id and autocomplete, lower case.
        sent: whether it goes along though nobody touches it.
    """

    name: str
    kind: str = "text"
    value: str = field(default="", repr=False)
    hints: str = ""
    sent: bool = True


@dataclass(slots=True)
class Form:
    """A form, its fields in order; ``text`` is what its buttons say."""

    action: str = ""
    method: str = "get"
    encoding: str = ""
    fields: list[Field] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; ``classes`` of it and all inside."""

    target: str
    text: str
    classes: frozenset[str]


@dataclass(slots=True)
class Page:
    """What there is; ``notices`` are texts that are marked as errors or alerts."""

    title: str = ""
    base: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def read(markup: str) -> Page:
    """The page; never fails, whatever it is."""
    reader = _Reader()
    for piece in pieces(markup[:LARGEST]):
        match piece:
            case Start():
                reader.start(piece.name, piece.attributes)
            case End():
                reader.end(piece.name)
            case Text():
                reader.text(piece.content)
    reader.close()
    return reader.page


@dataclass(slots=True)
class _Open:
    """An element whose text is wanted; one of each kind is open at a time."""

    name: str
    finish: Callable[[str], None]
    depth: int = 1
    text: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.page = Page()
        self._form: Form | None = None
        self._classes: set[str] = set()
        self._select: tuple[str, list[str]] | None = None
        self._open: dict[str, _Open] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        for element in self._open.values():
            element.depth += element.name == name
        self._classes.update(attributes.get("class", "").split())
        match name:
            case "title" if not self.page.title:
                self._want("title", name, self._titled)
            case "base" if not self.page.base:
                self.page.base = attributes.get("href", "").strip()
            case "form":
                self._begin(attributes)
            case "a":
                self._link(attributes)
            case "input" | "button" | "select" | "textarea" | "option":
                self._control(name, attributes)
        wanted = "notice" not in self._open and len(self.page.notices) < _MOST
        if wanted and name not in _VOID and _is_notice(attributes):
            self._want("notice", name, self.page.notices.append)

    def end(self, name: str) -> None:
        for kind, element in list(self._open.items()):
            element.depth -= element.name == name
            if element.depth <= 0:
                self._finish(kind)
        if name == "form":
            self._form = None
        elif name == "select":
            self._selected()

    def text(self, content: str) -> None:
        for element in self._open.values():
            if len(element.text) < _LONGEST_TEXT:
                element.text.append(content[:_LONGEST_TEXT])

    def close(self) -> None:
        for kind in list(self._open):
            self._finish(kind)
        self._selected()

    def _want(self, kind: str, name: str, finish: Callable[[str], None]) -> None:
        self._finish(kind)
        self._open[kind] = _Open(name, finish)

    def _finish(self, kind: str) -> None:
        element = self._open.pop(kind, None)
        if element is not None:
            element.finish(" ".join("".join(element.text).split())[:_LONGEST_TEXT])

    def _titled(self, text: str) -> None:
        self.page.title = text

    def _begin(self, attributes: Mapping[str, str]) -> None:
        if self._form is not None:
            return
        self._form = Form(
            action=attributes.get("action", "").strip(),
            method=attributes.get("method", "get").strip().lower(),
            encoding=attributes.get("enctype", "").strip().lower(),
        )
        if len(self.page.forms) < _MOST:
            self.page.forms.append(self._form)

    def _link(self, attributes: Mapping[str, str]) -> None:
        target = attributes.get("href", "").strip()
        self._finish("link")
        if not target or len(self.page.links) >= _MOST:
            return
        classes = self._classes = set(attributes.get("class", "").split())
        self._want(
            "link",
            "a",
            lambda text: self.page.links.append(Link(target, text, frozenset(classes))),
        )

    def _control(self, name: str, attributes: Mapping[str, str]) -> None:
        form = self._form
        if form is None or len(form.fields) >= _MOST:
            return
        match name:
            case "select":
                self._selected()
                self._select = (attributes.get("name", ""), [])
            case "option":
                self._option(attributes)
            case "textarea":
                self._want("textarea", name, self._adder(form, attributes, "textarea"))
            case "button":
                self._want("button", name, self._say(form))
                kind = attributes.get("type", "submit").lower()
                self._add(form, attributes, kind, attributes.get("value", ""))
            case _:
                kind = attributes.get("type", "text").strip().lower()
                if kind == "submit":
                    self._say(form)(attributes.get("value", ""))
                self._add(form, attributes, kind, attributes.get("value", ""))

    def _option(self, attributes: Mapping[str, str]) -> None:
        if self._select is None:
            return
        values = self._select[1]
        value = attributes.get("value", "")
        if "selected" in attributes:
            values.insert(0, value)
        elif not values:
            values.append(value)

    def _selected(self) -> None:
        select, self._select = self._select, None
        if select is not None and select[1] and self._form is not None:
            self._add(self._form, {"name": select[0]}, "select", select[1][0])

    def _say(self, form: Form) -> Callable[[str], None]:
        def say(text: str) -> None:
            form.text = f"{form.text} {text}".strip()[:_LONGEST_TEXT]

        return say

    def _adder(self, form: Form, attributes: Mapping[str, str], kind: str) -> Callable[[str], None]:
        return lambda text: self._add(form, attributes, kind, text)

    def _add(self, form: Form, attributes: Mapping[str, str], kind: str, value: str) -> None:
        name = attributes.get("name", "")
        if not name or "disabled" in attributes:
            return
        if kind in {"checkbox", "radio"}:
            sent = "checked" in attributes
            value = attributes.get("value", "on")
        else:
            sent = kind not in {"submit", "button", "reset", "image", "file"}
        hints = f"{attributes.get('id', '')} {attributes.get('autocomplete', '')}".lower()
        form.fields.append(Field(name, kind, value, hints, sent))


def _is_notice(attributes: Mapping[str, str]) -> bool:
    marks = f"{attributes.get('class', '')} {attributes.get('id', '')}".lower()
    return attributes.get("role") == "alert" or any(word in marks for word in _NOTICES)
