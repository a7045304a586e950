"""One field of the matrix: a grant, and how the client shows who it is."""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "abc+123/=%&: ~0123456789012345678901234567"
"""With characters that a form and a Basic header must both carry unharmed."""

RAW_SECRET = "without-anything-to-encode-0123456789"
"""For Basic without the form-encoding: these providers decode."""

CERTIFIED = "matrix-client.example"
"""The name in the certificate of clients that show one."""

SECRETS = ("basic", "post", "client_secret_jwt")
CONFIDENTIAL = ("basic", "basic_raw", "post", "client_secret_jwt", "private_key_jwt", "tls")


@dataclass(frozen=True, slots=True)
class Cell:
    """A grant with a way to show who the client is.

    Attributes:
        variant: where a grant has several: where a subject comes from, which field is used.
    """

    grant: str
    authentication: str
    variant: str = ""

    @property
    def name(self) -> str:
        """Also the client's, the credential's, and the first segment at the API."""
        parts = (self.grant, self.variant, self.authentication)
        return "-".join(part for part in parts if part).replace("_", "-")

    @property
    def row(self) -> str:
        """What the matrix calls it."""
        return f"{self.grant} ({self.variant})" if self.variant else self.grant

    @property
    def secret(self) -> str:
        """What client and provider both know, where they do."""
        return RAW_SECRET if self.authentication == "basic_raw" else SECRET


def cells(grant: str, *authentications: str, variant: str = "") -> tuple[Cell, ...]:
    """One grant with several authentications."""
    return tuple(Cell(grant, authentication, variant) for authentication in authentications)
