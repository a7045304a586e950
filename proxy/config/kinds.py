"""The types that the file's model is written in: how a value is read, what an editor is told.

Each pairs a function of ``scalars`` with its JSON Schema. What is known but waits for a later
version has kinds here too, so that it is answered by name and never taken for a mistake.
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

NOT_YET: Final = "is not in this version"
MARK: Final = "x-not-in-this-version"
"""In the JSON Schema: true for a key, a list of values for one that takes others too."""


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


def choice(*now: str, later: tuple[str, ...] = ()) -> Kind:
    """One word of ``now``; those of ``later`` are known."""
    allowed = ", ".join(now)

    def read(value: object) -> str:
        if value in now:
            return str(value)
        if value in later:
            raise UnfitError(f"{value} {NOT_YET}; now: {allowed}")
        hint = suggestion(value, (*now, *later)) if isinstance(value, str) else ""
        raise UnfitError(f"must be {'one of ' if len(now) > 1 else ''}{allowed}{hint}")

    described: dict[str, Any] = {"type": "string", "enum": [*now, *later]}
    return Kind(read, described | ({MARK: list(later)} if later else {}))


def later(*off: object) -> Kind:
    """A key of a later version; the values ``off`` mean that it is not wanted."""

    def read(value: object) -> object:
        for one in off:
            if value == one and type(value) is type(one):
                return value
        if not off:
            raise UnfitError(NOT_YET)
        raise UnfitError(f"{NOT_YET}: leave it out or at its default")

    return Kind(read, {MARK: True} | ({"enum": list(off)} if off else {}))


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
_DURATION: Final = {
    "type": ["string", "number"],
    "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)?$",
    "minimum": 0,
}
_SIZE: Final = {"type": ["string", "integer"], "pattern": "^[0-9]+(B|KiB|MiB|GiB|TiB)?$"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SWITCH: Final = {"type": "boolean"}
_LIST: Final = {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]}

Text = Annotated[str, Kind(scalars.text, TEXT)]
Texts = Annotated[tuple[str, ...], Kind(scalars.texts, _LIST)]
Switch = Annotated[bool, Kind(scalars.switch, _SWITCH)]
Count = Annotated[int, Kind(scalars.count, _COUNT)]
Some = Annotated[int, Kind(_above_zero(scalars.count), {"type": "integer", "minimum": 1})]
Duration = Annotated[float, Kind(scalars.duration, _DURATION)]
Period = Annotated[float, Kind(_above_zero(scalars.duration), _DURATION)]
Idle = Annotated[float | None, Kind(_idle, _DURATION | {"pattern": "never|[0-9]+"})]
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
Later = Annotated[object, later()]
