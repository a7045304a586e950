"""Asks a running sidecar for its credentials' tokens: the token API of its control plane.

Knows no store and no provider: what a token is and when it is renewed is the sidecar's business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from proxy.client.lent import Lent
from proxy.client.wire import LARGEST, PATIENCE, Place, Reply, ask
from proxy.errors import CredentialRefused, CredentialUnavailable, SidecarError
from proxy.secret import Secret

__all__ = [
    "Lent",
    "NobodyThereError",
    "OtherConfigurationError",
    "RefusedError",
    "RunningSidecar",
]


class NobodyThereError(SidecarError):
    """No sidecar answers at this place."""


class OtherConfigurationError(SidecarError):
    """A sidecar runs, but with another configuration of the credential."""


class RefusedError(SidecarError):
    """The sidecar does not lend this credential to us, or has none of this name."""


class RunningSidecar:
    """The token API of a sidecar on this machine.

    Args:
        place: its own Unix socket, or the address of its control plane.
        key: a client's key, wanted over TCP.
        patience: seconds that an answer may take.

    Every method raises:
        NobodyThereError: nobody answers, or somebody who is no sidecar.
        OtherConfigurationError: its credential has another identity than the one that was named.
        RefusedError: it does not lend the credential to us.
        CredentialRefused: the provider refuses the credential.
        CredentialUnavailable: there is no token now.
    """

    def __init__(
        self, place: Place, key: Secret | None = None, *, patience: float = PATIENCE
    ) -> None:
        self._place = place
        self._key = key
        self._patience = patience

    def token(self, name: str, *, min_ttl: float = 0.0, identity: str | None = None) -> Lent:
        """The present token, renewed first where it has less than ``min_ttl`` seconds left."""
        return self._lent(name, f"token?min_ttl={min_ttl:g}", "GET", identity=identity)

    def reject(self, name: str, generation: int, *, identity: str | None = None) -> Lent:
        """An upstream answered 401 to this generation: the token to try instead."""
        body = json.dumps({"generation": generation}).encode()
        return self._lent(name, "reject", "POST", body, identity=identity)

    def refresh(self, name: str, *, identity: str | None = None) -> Lent:
        """A new token, whether the present one is still good or not."""
        return self._lent(name, "refresh", "POST", identity=identity)

    def forget(self, name: str, *, identity: str | None = None) -> bool:
        """Have it forget the token, there and in its store; whether there was anything."""
        return self._said(name, "forget", "POST", identity=identity).get("kept") is True

    def status(self) -> Mapping[str, Any]:
        """How the sidecar and its credentials are doing; nothing secret in it."""
        return _object(self._ask("/v1/status", "GET", b"", {}, MOST_STATUS))

    def _said(
        self, name: str, what: str, method: str, body: bytes = b"", *, identity: str | None
    ) -> Mapping[str, Any]:
        fields = {"X-Token-Sidecar": "1"}
        if self._key is not None:
            fields["X-Token-Sidecar-Key"] = self._key.reveal()
        if identity is not None:
            fields["X-Token-Sidecar-Identity"] = identity
        target = f"/v1/credentials/{quote(name, safe='')}/{what}"
        reply = self._ask(target, method, body, fields)
        said = _object(reply)
        if reply.status != _OK:
            raise _refusal(name, reply, str(said.get("detail", "")))
        return said

    def _lent(
        self, name: str, what: str, method: str, body: bytes = b"", *, identity: str | None
    ) -> Lent:
        said = self._said(name, what, method, body, identity=identity)
        try:
            return Lent(
                Secret(str(said["token"])),
                str(said["field"]),
                int(said["generation"]),
                bool(said["cookie"]),
                None if said["expires_in"] is None else float(said["expires_in"]),
            )
        except (KeyError, TypeError, ValueError):
            raise _stranger() from None

    def _ask(
        self,
        target: str,
        method: str,
        body: bytes,
        fields: Mapping[str, str],
        largest: int = LARGEST,
    ) -> Reply:
        try:
            return ask(
                self._place,
                target,
                method=method,
                fields=fields,
                body=body,
                patience=self._patience,
                largest=largest,
            )
        except OSError as error:
            raise NobodyThereError(f"no sidecar answers: {error.strerror or error}") from None


_OK: Final = 200
MOST_STATUS: Final = 32 << 20
"""Bytes: a status tells of hundreds of credentials and thousands of routes."""


def _object(reply: Reply) -> Mapping[str, Any]:
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise _stranger()
    return said


def _stranger() -> NobodyThereError:
    return NobodyThereError("what answers there is no sidecar of this version")


def _refusal(name: str, reply: Reply, detail: str) -> SidecarError:
    told = reply.fields.get("retry-after", "")
    retry_after = float(told) if told.isdigit() else None
    match reply.status:
        case 409:
            return OtherConfigurationError(detail)
        case 502:
            return CredentialRefused(detail, credential=name, retry_after=retry_after, error=None)
        case 503:
            return CredentialUnavailable(detail, credential=name, retry_after=retry_after)
        case 403 | 404 | 421:
            return RefusedError(f"credential {name}: {detail}")
        case _:
            return NobodyThereError(f"the sidecar answered {reply.status}: {detail}")
