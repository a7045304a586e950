"""What the matrix wants to know of each provider, and what all configurations share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from joserfc.jwk import ECKey

from tests.live.matrix.cell import RAW_SECRET, SECRET, Cell
from tests.live.verified_api import Ledger
from tests.support.certificates import Pair

LIFETIME = 5
"""Seconds that the matrix's tokens live."""

ENVIRON = {"MATRIX_SECRET": SECRET, "MATRIX_RAW_SECRET": RAW_SECRET}


class Side(Protocol):
    """A provider that has been told of all its cells' clients."""

    cells: tuple[Cell, ...]

    async def enrol(self) -> None:
        """Make the clients known."""

    async def begin(self, cell: Cell, home: Path) -> None:
        """Put what the cell's credential reads into files."""

    def refresh(self, cell: Cell, home: Path) -> None:
        """Write those of them anew that somebody else would."""

    def credential(self, cell: Cell) -> dict[str, Any]:
        """The credential as the configuration has it."""

    def further(self) -> Mapping[str, dict[str, Any]]:
        """Credentials that others need."""

    def ledger(self, cell: Cell) -> tuple[Ledger, str]:
        """What the API may believe, and the keys' URL."""

    async def bearer(self, cell: Cell) -> str | None:
        """What programs send themselves, where that decides whose token goes on."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the clients of all providers show.

    Attributes:
        key: signs for private_key_jwt.
        shown: the certificate of clients with one; ``ca_file``: whom servers' come from.
    """

    key: ECKey
    shown: Pair
    ca_file: Path

    def keys(self, cell: Cell) -> dict[str, Any]:
        """The part of a credential that says who the client is."""
        name = "MATRIX_RAW_SECRET" if cell.authentication == "basic_raw" else "MATRIX_SECRET"
        told: dict[str, Any] = {"client_auth": cell.authentication}
        match cell.authentication:
            case "none":
                return told
            case "private_key_jwt":
                return told | {"private_key": {"file": "key.jwk"}}
            case "federated":
                return told | {"assertion": {"file": f"{cell.name}.jwt"}}
            case "tls":
                files = {"cert_file": self.shown.cert_file, "key_file": self.shown.key_file}
                shown = {"ca_file": self.ca_file} | files
                return told | {"tls": {key: str(file) for key, file in shown.items()}}
            case _:
                return told | {"client_secret": {"env": name}}
