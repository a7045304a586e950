"""Checks a composed file against its keys and says what is wrong in words of our own.

What is wrong is reported and left out, and the rest is checked again, so that one mistake
hides no other. The library's own messages quote values and are never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from proxy.config.credential_keys import CredentialKeys
from proxy.config.file_keys import FileKeys, RouteKeys, StoreKeys
from proxy.config.kinds import MisplacedError
from proxy.config.report import Report, Trail, nearest
from proxy.config.scalars import UnfitError

_ROUNDS: Final = 8
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
_SHAPES: Final = {
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of names",
    "list_type": "must be a list",
}

_HOMES: Final[dict[str, type[BaseModel]]] = {
    "the file's top level": FileKeys,
    "a credential": CredentialKeys,
    "a route": RouteKeys,
    "`store`": StoreKeys,
}
_SEE: Final = "`token-sidecar schema` tells the known ones"


def check(tree: dict[str, object], report: Report) -> FileKeys:
    """The file's keys, as far as they are right; what is wrong goes to ``report``."""
    for _ in range(_ROUNDS):
        try:
            return FileKeys.model_validate(tree)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                trail = _as_written(fault["loc"], report)
                _tell(fault, trail, report)
                _leave_out(trail, tree, report)
    raise report.fail()


def _as_written(trail: Trail, report: Report) -> Trail:
    """A single listener may stand there without a list around it."""
    alone = trail[:2] == ("listen", 0) and not report.stands(trail[:2])
    return ("listen", *trail[2:]) if alone else trail


def _tell(fault: ErrorDetails, trail: Trail, report: Report) -> None:
    if fault["type"] == "extra_forbidden":
        report.problem(report.at_key(trail), _unknown(trail, report))
        return
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, MisplacedError):
        inner = (*trail, *cause.trail)
        report.problem(report.at_key(inner) if cause.of_key else inner, str(cause))
        return
    said = str(cause) if isinstance(cause, UnfitError) else _SHAPES.get(fault["type"], "is wrong")
    report.problem(trail, f"{_named(report.standing(trail))} {said}")


def _named(trail: Trail) -> str:
    names = [part for part in trail if isinstance(part, str)]
    name = names[-1] if names else ""
    told = f"`{name}`" if _KEY.fullmatch(name) else "this"
    return f"an entry of {told}" if trail and isinstance(trail[-1], int) else told


def _unknown(trail: Trail, report: Report) -> str:
    key, known = str(trail[-1]), sorted(known_keys(trail[:-1]))
    close = nearest(key, known)
    if close:
        report.spoil((*trail[:-1], close))
    shown = _KEY.fullmatch(key) and trail[0] != "clients"  # a key of a client may be misplaced
    told = f"unknown key `{key}`" if shown else "unknown key"
    if close:
        return f"{told}; did you mean `{close}`?"
    homes = [home for home, model in _HOMES.items() if key in model.model_fields]
    if homes:
        return f"{told}; it belongs to {homes[0]}"
    return f"{told}; known: {', '.join(known)}" if len(known) < 12 else f"{told}; {_SEE}"


def known_keys(trail: Trail) -> Iterator[str]:
    """The keys that the mapping at ``trail`` may have."""
    model: type[BaseModel] | None = FileKeys
    for part in trail:
        if model is not None and isinstance(part, str) and part in model.model_fields:
            model = model_of(model.model_fields[part].annotation)
    return iter(model.model_fields if model else ())


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside a field's annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := model_of(one))), None)


def _leave_out(trail: Trail, tree: dict[str, object], report: Report) -> None:
    """Drop the smallest part of the tree whose absence is a mapping's missing key."""
    if trail[:1] == ("routes",) and len(trail) == 2:  # a route that is no mapping: keep its place
        _at(trail[:1], tree)[trail[1]] = {}
        report.spoil(trail)
        return
    while trail and not (isinstance(trail[-1], str) and _holds(trail, tree)):
        trail = trail[:-1]
    if trail:
        del _at(trail[:-1], tree)[trail[-1]]
        report.spoil(trail)


def _holds(trail: Trail, tree: dict[str, object]) -> bool:
    holder = _at(trail[:-1], tree)
    return isinstance(holder, dict) and trail[-1] in holder


def _at(trail: Trail, tree: dict[str, object]) -> Any:
    found: Any = tree
    for part in trail:
        inside = isinstance(found, dict) and part in found
        listed = isinstance(found, list) and isinstance(part, int) and part < len(found)
        found = found[part] if inside or listed else None
    return found
