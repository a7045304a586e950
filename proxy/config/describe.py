"""The file's JSON Schema (draft 2020-12), for editors that complete and check it."""

from __future__ import annotations

from typing import Any, Final

from proxy.config.file_keys import FileKeys

_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_NEEDED: Final = {
    "RouteKeys": ["upstream", "credential"],
    "ClientKeys": ["key"],
    "VaultKeys": ["address", "auth"],
    "VaultKubernetesKeys": ["role"],
    "VaultAppRoleKeys": ["role_id"],
}


def json_schema() -> dict[str, Any]:
    """The schema."""
    schema = FileKeys.model_json_schema()
    for name, needed in _NEEDED.items():
        schema["$defs"][name]["required"] = needed
    schema["$defs"]["StoreKeys"]["oneOf"] = [
        {"required": ["file"]},
        {"required": ["redis", "encryption_key"]},
    ]
    listen = schema["properties"]["listen"]
    one = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/ListenKeys"}]}
    schema["properties"]["listen"] = {
        "anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}],
        "description": listen["description"],
    }
    store = schema["properties"]["store"]
    schema["properties"]["store"] = {
        "anyOf": [
            {"type": "string", "enum": ["memory", "file"]},
            {"$ref": "#/$defs/StoreKeys"},
        ],
        "description": store["description"],
        "default": "memory",
    }
    schema["required"] = ["routes"]
    return {"$schema": _DRAFT, "title": "token-sidecar"} | _tidied(schema)


def _tidied(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the null that stands for an absent key."""
    schema.pop("title", None)
    for section in (schema, *schema["$defs"].values()):
        section.pop("title", None)
        section["properties"] = {
            key: _described(found) for key, found in section["properties"].items()
        }
    return schema


def _described(key: dict[str, Any]) -> dict[str, Any]:
    kept = {name: one for name, one in key.items() if name != "title"}
    if kept.get("default", ...) is None:
        del kept["default"]
    options = [one for one in kept.get("anyOf", ()) if one != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        kept = options[0] | kept
    elif options:
        kept["anyOf"] = options
    return kept
