"""Turns the file's text into plain values and remembers where each of them stands.

Reads YAML's events itself, so that ``off`` stays a word, ``1:30`` stays text and a key that
stands twice is noticed (scalars by the core schema, YAML 1.2.2 section 10.3.2). Knows nothing
of what the keys mean, and repeats nothing of the text: any scalar might be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml

from proxy.config.model import Position
from proxy.config.report import Mark, Report, Trail

ABSENT: Final = object()
"""Stands for a value that was reported and is left out."""

_DEEPEST: Final = 24
_STRING_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_WORDS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NULL: Final = ("", "~", "null", "Null", "NULL")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"|%\S*|!\S*")

# The C parser is six times as fast and says the same; where PyYAML came without it, Python's.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(text: str, report: Report, loader: Any = _LOADER) -> dict[str, object]:
    """The file's top-level mapping, each part marked in ``report``.

    Raises:
        ConfigurationError: it is no YAML, or no mapping; what is wrong inside it is left to
            ``report``.
    """
    try:
        value = _Composer(yaml.parse(text, Loader=loader), report).document()
    except yaml.YAMLError as error:
        _explain(error, text, report)
        raise report.fail() from None
    if value is ABSENT:
        report.problem((), "the file is empty: it needs at least `routes:`")
        raise report.fail()
    if not isinstance(value, dict):
        report.problem((), "the file must be a mapping of keys such as `routes:`")
        raise report.fail()
    return value


def _explain(error: yaml.YAMLError, text: str, report: Report) -> None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character that YAML does not allow, named by its offset alone
        offset = int(getattr(error, "position", 0) or 0)
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        what = "a control character that YAML does not allow: remove it"
    else:
        line, column = mark.line + 1, mark.column + 1
        lines = text.split("\n")
        what = _syntax_fault(error, lines[min(mark.line, len(lines) - 1)])
    report.mark((), (line, column))
    report.problem((), what)


def _syntax_fault(error: yaml.YAMLError, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab can't indent YAML: use spaces"
    # Python's parser quotes pieces of the text, which may be a secret's.
    said = _QUOTED.sub("…", str(getattr(error, "problem", "") or "can't be read"))
    return f"not valid YAML: {said}; text with special characters belongs in quotes"


class _Composer:
    """Follows the events of one document, downwards from its root."""

    def __init__(self, events: Iterator[Any], report: Report) -> None:
        self._events = events
        self._report = report

    def document(self) -> object:
        """The root's value, ABSENT for an empty file."""
        value: object = ABSENT
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._stop(event, "a second document begins here: put everything into one")
                value = self._root(next(self._events))
        return value

    def _root(self, event: Any) -> object:
        self._report.mark((), _mark(event))
        if isinstance(event, yaml.ScalarEvent) and _is_null(event):
            return ABSENT
        return self._value(event, ())

    def _value(self, event: Any, trail: Trail) -> object:
        if len(trail) > _DEEPEST:
            self._stop(event, f"nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(trail)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(trail)
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, trail, "aliases (*name) are not read: write the value out")
        return self._scalar(event, trail)

    def _mapping(self, trail: Trail) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, following = self._key(event), next(self._events)
            inner = (*trail, key)
            if key in mapping or self._report.spoiled(inner):
                self._twice(event, inner)
                inner = (*trail, f"{key} again")  # read on, without moving the first one's mark
            self._report.mark(inner, _mark(following), _mark(event))
            value = self._value(following, inner)
            if value is not ABSENT:
                mapping.setdefault(key, value)
        return mapping

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, "a key must be a plain word")
        if event.value == "<<" and not event.style:
            self._stop(event, "merge keys (<<) are not read: write the keys out")
        return str(event.value)

    def _twice(self, event: Any, trail: Trail) -> None:
        first = self._report.at_key(trail)
        self._report.problem(
            Position(first.file, *_mark(event)),
            f"this key stands twice: it is on line {first.line} already; keep one of them",
        )

    def _sequence(self, trail: Trail) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            inner = (*trail, len(items))
            self._report.mark(inner, _mark(event))
            value = self._value(event, inner)
            if value is ABSENT:
                self._report.spoil(trail)
            else:
                items.append(value)
        return items

    def _scalar(self, event: Any, trail: Trail) -> object:
        if event.tag not in _STRING_TAGS:
            return self._refuse(event, trail, "tags (!name) are not read: write the value alone")
        if _is_null(event):
            return self._refuse(event, trail, "a value is missing: give one, or remove the key")
        return str(event.value) if event.style or event.tag else _plain(str(event.value))

    def _refuse(self, event: Any, trail: Trail, message: str) -> object:
        self._report.mark(trail, _mark(event))
        self._report.problem(self._report.at_key(trail), message)
        self._report.spoil(trail)
        return ABSENT

    def _stop(self, event: Any, message: str) -> NoReturn:
        self._report.mark((), _mark(event))
        self._report.problem((), message)
        raise self._report.fail()


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _is_null(event: Any) -> bool:
    return not event.style and event.tag is None and event.value in _NULL


def _plain(word: str) -> object:
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    return float(word) if _FLOAT.fullmatch(word) else word
