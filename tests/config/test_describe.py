import json
from typing import Any

import pytest
from pydantic import BaseModel

from proxy.config.describe import json_schema
from proxy.config.file_keys import FileKeys

SCHEMA = json_schema()
SECTIONS: dict[str, Any] = {"": SCHEMA, **SCHEMA["$defs"]}


def test_it_is_json_and_says_which_draft() -> None:
    assert json.loads(json.dumps(SCHEMA))["$schema"].endswith("draft/2020-12/schema")


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_is_described_and_no_other_is_allowed(name: str) -> None:
    section = SECTIONS[name]
    assert section["additionalProperties"] is False
    assert section["description"]
    for key, one in section["properties"].items():
        assert one.get("description"), key


def test_every_key_of_the_file_is_in_it() -> None:
    assert set(SCHEMA["properties"]) == set(FileKeys.model_fields)


def test_an_absent_key_is_no_null() -> None:
    assert '"null"' not in json.dumps(SCHEMA)
    assert "null" not in json.dumps(SCHEMA)


def test_off_may_be_the_false_that_some_editors_read() -> None:
    for key in ("admin", "metrics"):
        assert {"const": False} in SCHEMA["properties"][key]["anyOf"]
    assert False in SECTIONS["RouteKeys"]["properties"]["sdk_login"]["enum"]


def test_what_a_route_and_a_client_need_is_required() -> None:
    assert SCHEMA["required"] == ["routes"]
    assert SECTIONS["RouteKeys"]["required"] == ["upstream", "credential"]
    assert SECTIONS["ClientKeys"]["required"] == ["key"]
    assert SECTIONS["VaultKeys"]["required"] == ["address", "auth"]
    assert SECTIONS["StoreKeys"]["oneOf"] == [
        {"required": ["file"]},
        {"required": ["redis", "encryption_key"]},
    ]


def test_every_reference_leads_somewhere() -> None:
    names = {f"#/$defs/{name}" for name in SCHEMA["$defs"]}
    found = set(_references(SCHEMA))
    assert found
    assert found <= names


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [one for inner in part.values() for one in _references(inner)]
    return [one for inner in part for one in _references(inner)] if isinstance(part, list) else []


def test_the_sections_are_few() -> None:
    models = [one for one in _subclasses(BaseModel) if one.__module__.startswith("proxy.config")]
    assert len(models) < 24


def _subclasses(model: type[BaseModel]) -> list[type[BaseModel]]:
    return [inner for one in model.__subclasses__() for inner in (one, *_subclasses(one))]
