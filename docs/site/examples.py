"""What config.example.yaml writes for each key of each section, and where sections stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

_REFERENCE: Final = "#/$defs/"
_LONGEST: Final = 72
PLACES: Final = "secret"
"""What the places of secrets are gathered under: they are a section without a definition."""


class Examples:
    """Walks the schema and the documents together.

    Attributes:
        places: each section's name with the places where it stands, in the schema's order.
    """

    def __init__(self, schema: Mapping[str, Any], documents: list[Any]) -> None:
        self.places: dict[str, list[str]] = {}
        self._schema = schema
        self._found: dict[tuple[str, str], list[Any]] = {}
        self._keys: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._place(schema, "")
        for document in documents:
            self._section("", schema, document)

    def of(self, section: str, key: str) -> str:
        """One example of the key, in YAML on one line; those that say the default come last."""
        found = self._found.get((section, key), [])
        described = self._keys.get((section, key), {})
        told = [one for one in found if one != described.get("default")]
        for value in (*told, *found):
            if value is False and described.get("type") != "boolean":
                return "`off`"  # which YAML 1.1 reads so
            whole = any(way for _, way in _sections(described, ""))
            return f"`{_line(_shortest(value)) if whole else _written(value)}`".replace("|", "\\|")
        return ""

    def _place(self, section: Mapping[str, Any], before: str) -> None:
        for key, one in section["properties"].items():
            for name, way in _sections(one, f"{before}{key}"):
                known = name in self.places
                self.places.setdefault(name, []).append(way)
                if not known:
                    self._place(self._schema["$defs"][name], f"{way}.")

    def _section(self, name: str, section: Mapping[str, Any], value: Any) -> None:
        if not isinstance(value, Mapping):
            return
        for key, found in value.items():
            if key in section["properties"]:
                one = self._keys[name, key] = section["properties"][key]
                self._found.setdefault((name, key), []).append(found)
                self._inside(one, found)

    def _inside(self, key: Mapping[str, Any], value: Any) -> None:
        if (places := secret(key)) is not None:
            self._section(PLACES, places, value)
        for name, way in _sections(key, ""):
            inner: Any = [value]
            if way.endswith("[]"):
                inner = value if isinstance(value, list) else [value]
            elif way.endswith(".NAME"):
                inner = value.values()
            for one in inner:
                self._section(name, self._schema["$defs"][name], one)


def secret(key: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a mapping that says where a secret stands may have; None where the key is no secret."""
    options = (one for one in key.get("anyOf", ()) if "env" in one.get("properties", {}))
    return next(options, None)


def _sections(key: Mapping[str, Any], way: str) -> Iterator[tuple[str, str]]:
    """The sections that a key leads to, each with the way there; a list's comes last."""
    if "$ref" in key:
        yield key["$ref"].removeprefix(_REFERENCE), way
    if isinstance(key.get("additionalProperties"), Mapping):
        yield from _sections(key["additionalProperties"], f"{way}.NAME")
    if "items" in key:
        yield from _sections(key["items"], f"{way}[]")
    found = dict(inner for one in key.get("anyOf", ()) for inner in _sections(one, way))
    yield from found.items()


def _shortest(value: Any) -> Any:
    """Of several sections the one that is written shortest, so that it can be shown whole."""
    if isinstance(value, Mapping):
        name = min(value, key=lambda one: len(_line(value[one])))
        return {name: value[name]}
    return [min(value, key=lambda one: len(_line(one)))] if isinstance(value, list) else value


def _written(value: Any) -> str:
    """A value on one line; of a long one as much as makes sense."""
    if value is False or value is True:
        return "true" if value else "false"
    if isinstance(value, list) and len(_line(value)) > _LONGEST:
        return _written(value[:1]) if len(value) > 1 else f"[{_written(value[0])}]"
    if isinstance(value, Mapping) and len(_line(value)) > _LONGEST:
        return _cut(value)
    return _line(value)


def _cut(value: Mapping[str, Any]) -> str:
    """The first entries that fit, at least one."""
    kept = dict(list(value.items())[:1])
    for key, one in list(value.items())[1:]:
        if len(_line({**kept, key: one})) <= _LONGEST:
            kept[key] = one
    (key, one), *more = kept.items()
    return _line(kept) if more or not isinstance(one, Mapping) else f"{{{key}: {_written(one)}}}"


def _line(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
