"""The fields of a token request that the file may rename, add to, or leave to their own keys.

Their names are RFC 6749's section 4, RFC 7521's, RFC 7636's, RFC 8628's, RFC 8693's, RFC 8707's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from proxy.config.kinds import Kind, MisplacedError
from proxy.config.report import suggestion
from proxy.config.scalars import UnfitError, text

_RESERVED: Final = (
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "username",
    "password",
    "refresh_token",
    "code",
    "code_verifier",
    "redirect_uri",
    "device_code",
    "assertion",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
    "audience",
    "resource",
)


def _params(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UnfitError("must be a mapping of form fields to text")
    if own := [key for key in _RESERVED if key in value]:
        raise UnfitError(f"must not hold {own[0]}: it has a key of its own")
    try:
        return {str(key): text(one) for key, one in value.items()}
    except UnfitError as error:
        raise UnfitError(f"has a field that {error}") from None


def _request(value: object) -> Mapping[str, str] | None:
    """None for a form; else the names that members of the JSON object have instead."""
    if value == "form":
        return None
    if value == "json":
        return {}
    if not isinstance(value, dict) or list(value) != ["json"]:
        hint = suggestion(value, ("form", "json")) if isinstance(value, str) else ""
        raise UnfitError(f"must be form, json, or {{json: {{client_id: clientId}}}}{hint}")
    return _names(value["json"])


def _names(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise MisplacedError(("json",), "`json` must be a mapping of fields to their names there")
    names = {key: _name(key, one) for key, one in value.items()}
    if len(set(names.values())) < len(names):
        raise MisplacedError(("json",), "`json` gives two fields the same name")
    return names


def _name(key: str, value: object) -> str:
    if key not in _RESERVED:
        hint = suggestion(key, _RESERVED) or "; known: grant_type, client_id and the like"
        raise MisplacedError(("json", key), f"not a field of a token request{hint}", of_key=True)
    try:
        return text(value)
    except UnfitError as error:
        raise MisplacedError(("json", key), f"a field's name {error}") from None


_TEXT_VALUES: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
}
PARAMS: Final = Kind(_params, _TEXT_VALUES)
REQUEST: Final = Kind(
    _request,
    {
        "anyOf": [
            {"type": "string", "enum": ["form", "json"]},
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["json"],
                "properties": {
                    "json": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {name: {"type": "string"} for name in _RESERVED},
                    }
                },
            },
        ]
    },
)
