"""The tables of docs/configuration.md, made from the JSON Schema and from config.example.yaml.

    python -m docs.site.reference        # writes them between the page's marks, and costs.py's too

The schema says which keys there are, of which type, with which default and meaning; the example
file says how each is written. What stands outside the marks is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from docs.site import costs
from docs.site.examples import PLACES, Examples, secret
from docs.site.preset_table import preset_table
from docs.site.values import default, kind
from proxy.config.describe import json_schema

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "configuration.md"
EXAMPLE: Final = REPOSITORY / "config.example.yaml"
_MARKED: Final = re.compile(
    r"(<!-- made by `make reference` -->\n).*(<!-- so far -->\n)", re.DOTALL
)
_INSTEAD: Final = ("#: ", "#; ")
_TOLD_OF_SECRETS: Final = (
    "Every key of the type *secret* says where the secret stands, in one of these places. "
    "Written as plain text it is taken as it is, with a warning."
)
_BELONGS: Final = re.compile(r"(presets? )?[a-z_-]+(, [a-z_-]+)*: ")
_HEAD: Final = "| key | type | default | what it is | example |\n|---|---|---|---|---|\n"


def page() -> str:
    """The page as it should be."""
    tables = "\n\n".join(_parts(json_schema(), _examples()))
    return _MARKED.sub(lambda found: f"{found[1]}\n{tables}\n\n{found[2]}", PAGE.read_text())


def _examples() -> list[Any]:
    """The example file, and what stands in it as comments because it excludes something else."""
    text = EXAMPLE.read_text()
    lines = text.splitlines()
    others = (
        "\n".join(one[len(mark) :] for one in lines if one.startswith(mark)) for mark in _INSTEAD
    )
    return [yaml.safe_load(one) for one in (text, *others)]


def _parts(schema: Mapping[str, Any], documents: list[Any]) -> Iterator[str]:
    examples = Examples(schema, documents)
    places = secret(schema["$defs"]["ClientKeys"]["properties"]["key"])
    assert places is not None  # noqa: S101 - a client's key is one
    yield f"## Secrets\n\n{_TOLD_OF_SECRETS}\n\n{_table(places, PLACES, examples)}"
    yield f"## The file\n\n{_table(schema, '', examples)}"
    for name, places in examples.places.items():
        section = schema["$defs"][name]
        where = ", ".join(f"`{one}`" for one in places)
        told = f"{section['description']} At {where}."
        table = _table(section, name, examples, without=_inherited(schema, name))
        yield f"## {title(name)}\n\n{told}\n{_note(name)}\n{table}"
    yield f"## Presets\n\n{preset_table(documents[0]['credentials'])}"


def title(name: str) -> str:
    """A section's heading: that of ``RouteKeys`` is Route."""
    return re.sub(r"(?<!^)([A-Z])", lambda found: f" {found[1].lower()}", name.removesuffix("Keys"))


def _inherited(schema: Mapping[str, Any], name: str) -> frozenset[str]:
    """A credential takes a provider's keys too; they are told once."""
    found = schema["$defs"]["ProviderKeys"]["properties"] if name == "CredentialKeys" else ()
    return frozenset(found)


def _note(name: str) -> str:
    if name != "CredentialKeys":
        return ""
    return (
        "All keys of a [provider](#provider) may stand here too, instead of `provider`. "
        "Where a meaning begins with a grant, a client authentication or a preset, "
        "the key belongs to that alone.\n"
    )


def _table(
    section: Mapping[str, Any], name: str, examples: Examples, without: frozenset[str] = frozenset()
) -> str:
    needed = section.get("required", ())
    properties = [one for one in section["properties"].items() if one[0] not in without]
    rows = (
        _row(key, found, examples.of(name, key), needed=key in needed)
        for key, found in sorted(properties, key=_special)
    )
    return _HEAD + "\n".join(rows)


def _row(key: str, found: Mapping[str, Any], example: str, *, needed: bool) -> str:
    meaning, _, told = found["description"].partition("; default ")
    shown = "needed" if needed else told or default(found)
    return f"| `{key}` | {kind(found, title)} | {shown} | {meaning} | {example} |"


def _special(key: tuple[str, Mapping[str, Any]]) -> bool:
    """Whether it belongs to single grants, client authentications or presets: those come last."""
    return bool(_BELONGS.match(key[1]["description"]))


if __name__ == "__main__":
    PAGE.write_text(page())
    costs.PAGE.write_text(costs.page())
