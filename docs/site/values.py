"""How the reference names the type of a key, and writes its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from docs.site.examples import secret

_SIZES: Final = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_REFERENCE: Final = "#/$defs/"
_DURATION: Final = "ms|s|m|h|d"

Title = Callable[[str], str]


def kind(key: Mapping[str, Any], title: Title) -> str:
    """A key's type in words, with links to the sections that it leads to."""
    if secret(key) is not None:
        return "[secret](#secrets)"
    if "anyOf" in key:
        return _either(key["anyOf"], title)
    if "$ref" in key:
        return link(key["$ref"], title)
    if "enum" in key:
        return ", ".join(f"`{_plain(one)}`" for one in key["enum"] if one is not False)
    if "const" in key:
        return "`off`" if key["const"] is False else f"`{_plain(key['const'])}`"
    if "properties" in key:
        return f"mapping of {', '.join(f'`{one}`' for one in key['properties'])}"
    if isinstance(key.get("additionalProperties"), Mapping):
        return f"names, each with a {kind(key['additionalProperties'], title)}"
    if "items" in key:
        return f"list of {kind(key['items'], title)}"
    return _scalar(key)


def _either(options: Sequence[Mapping[str, Any]], title: Title) -> str:
    ones = " or ".join(dict.fromkeys(kind(one, title) for one in options if "items" not in one))
    lists = [kind(one["items"], title) for one in options if "items" in one]
    if lists == [ones]:
        return f"{ones}, or a list of them"
    return " or ".join([*([ones] if ones else []), *(f"list of {one}" for one in lists)])


def link(reference: str, title: Title) -> str:
    """To the section of a definition."""
    named = title(reference.removeprefix(_REFERENCE))
    return f"[{named}](#{named.lower().replace(' ', '-')})"


def _scalar(key: Mapping[str, Any]) -> str:
    pattern = key.get("pattern", "")
    if _DURATION in pattern:
        return "duration"
    if "never" in pattern:
        return "duration or `never`"
    if "KiB" in pattern:
        return "size"
    if key.get("format") == "uri":
        return "URL"
    words = {"boolean": "`true`, `false`", "integer": "number", "object": "mapping"}
    return words.get(str(key.get("type")), "text")


def default(key: Mapping[str, Any]) -> str:
    """What holds where the key is left out and its meaning does not say."""
    found = key.get("default")
    if found is None or found in ([], {}):
        return "–"
    if isinstance(found, Mapping):
        return "see there"
    return f"`{_written(found, key)}`"


def _written(value: Any, key: Mapping[str, Any]) -> str:
    pattern = key.get("pattern", "")
    if "KiB" in pattern:
        name, unit = next((one for one in _SIZES if value % one[1] == 0), ("", 1))
        return f"{value // unit}{name}"
    if _DURATION in pattern:
        hours = value and value % 3600 == 0
        return f"{value / 3600:g}h" if hours else f"{value:g}s"
    return _plain(value)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
