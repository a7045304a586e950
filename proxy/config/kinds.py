"""The types that the file's model is written in: how a value is read, what an editor is told.

Each pairs a function of ``scalars`` with its JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from proxy.config import addresses, scalars
from proxy.config.model import Address
from proxy.config.report import Trail, suggestion
from proxy.config.scalars import UnfitError


class MisplacedError(UnfitError):
    """Something inside a value is wrong: at ``trail`` from the value, its key or what is there."""

    def __init__(self, trail: Trail, message: str, *, of_key: bool = False) -> None:
        super().__init__(message)
        self.trail = trail
        self.of_key = of_key


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Reads one value, and describes it to editors."""

    read: Callable[[Any], Any]
    described: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: Any, __: GetJsonSchemaHandler) -> dict[str, Any]:
        return dict(self.described)


def choice(*words: str) -> Kind:
    """One of these words."""
    allowed = ", ".join(words)

    def read(value: object) -> str:
        if value in words:
            return str(value)
        hint = suggestion(value, words) if isinstance(value, str) else ""
        raise UnfitError(f"must be {'one of ' if len(words) > 1 else ''}{allowed}{hint}")

    return Kind(read, {"type": "string", "enum": list(words)})


def _off(value: object) -> Address | None:
    return None if value is False or value == "off" else addresses.address(value)


def _egress(value: object) -> str:
    if value != "none":
        found = addresses.url(value, userinfo=True)
        if found.path not in ("", "/") or found.query:
            raise UnfitError("must be http://host:port, or none")
    return str(value)


def _idle(value: object) -> float | None:
    return None if value == "never" else _above_zero(scalars.duration)(value)


def _above_zero(read: Callable[[object], Any]) -> Callable[[object], Any]:
    def positive(value: object) -> Any:
        number = read(value)
        if not number > 0:
            raise UnfitError("must be more than 0")
        return number

    return positive


def _url(value: object) -> str:
    addresses.url(value)
    return str(value)


def _scheme(value: object) -> str:
    return "" if value == "" else scalars.token(value)


TEXT: Final[Mapping[str, Any]] = {"type": "string", "minLength": 1}
"""How any text is described to editors."""
DURATION: Final[Mapping[str, Any]] = {
    "type": ["string", "number"],
    "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$",
    "minimum": 0,
}
"""How a time is described to editors."""
_SIZE: Final = {"type": ["string", "integer"], "pattern": "^[0-9]+(B|KiB|MiB|GiB|TiB)?$"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SWITCH: Final = {"type": "boolean"}
_LIST: Final = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}

Text = Annotated[str, Kind(scalars.text, TEXT)]
Texts = Annotated[tuple[str, ...], Kind(scalars.texts, _LIST)]
Switch = Annotated[bool, Kind(scalars.switch, _SWITCH)]
Count = Annotated[int, Kind(scalars.count, _COUNT)]
Some = Annotated[int, Kind(_above_zero(scalars.count), {"type": "integer", "minimum": 1})]
Duration = Annotated[float, Kind(scalars.duration, DURATION)]
Period = Annotated[float, Kind(_above_zero(scalars.duration), DURATION)]
Idle = Annotated[float | None, Kind(_idle, {**DURATION, "pattern": "never|[0-9]+"})]
Share = Annotated[float, Kind(scalars.share, {"type": "number", "minimum": 0, "maximum": 1})]
Size = Annotated[int, Kind(scalars.size, _SIZE)]
SomeSize = Annotated[int, Kind(_above_zero(scalars.size), _SIZE)]
HostName = Annotated[str, Kind(addresses.host_name, TEXT)]
Authority = Annotated[str, Kind(addresses.authority, TEXT)]
Origin = Annotated[str, Kind(addresses.origin, TEXT)]
Bound = Annotated[Address, Kind(addresses.address, TEXT)]
Toggled = Annotated[Address | None, Kind(_off, {"anyOf": [TEXT, {"const": False}]})]
Url = Annotated[str, Kind(_url, {**TEXT, "format": "uri"})]
UrlPath = Annotated[str, Kind(addresses.prefix, {"type": "string", "pattern": "^/"})]
FieldName = Annotated[str, Kind(scalars.token, TEXT)]
Scheme = Annotated[str, Kind(_scheme, {"type": "string"})]
EgressProxy = Annotated[str, Kind(_egress, TEXT)]
