"""Who may call: one guard for the data plane and the control plane.

Judges a request's own words (Host, Origin, Fetch metadata, client keys) against exact
lists, so that neither a web page nor a rebound name reaches a local port. No I/O.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from proxy.http1.fields import Field, values
from proxy.http1.refusal import MessageError
from proxy.http1.target import split_authority
from proxy.plane.settings import Address
from proxy.secret import Secret

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
OWN_SITE: Final = frozenset({b"none", b"same-origin"})
KEY_FIELD: Final = b"x-token-sidecar-key"
WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, never bound


class Guard:
    """What one listener accepts.

    ``hosts`` are further Host values, with or without a port; ``origins`` those that may call.
    """

    def __init__(
        self,
        address: Address,
        *,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        clients: Mapping[str, Secret] | None = None,
    ) -> None:
        self._port = None if address.path else address.port
        self._hosts = {host.lower() for host in hosts} | LOCAL_HOSTS
        if address.host not in WILDCARDS:
            self._hosts.add(f"[{address.host}]" if ":" in address.host else address.host)
        self._origins = {origin.lower().encode("latin-1") for origin in origins}
        self._clients = [(name, key.reveal().encode()) for name, key in (clients or {}).items()]

    def host(self, fields: Sequence[Field], minor: int, authority: bytes | None) -> str | None:
        """The host the request is for; ``authority`` (absolute-form) counts before Host.

        Raises:
            MessageError: 400 for a missing, repeated or malformed Host, 421 for a foreign one.
        """
        found = values(fields, b"host")
        if len(found) > 1 or (not found and minor > 0):
            raise MessageError("an HTTP/1.1 request has exactly one Host")
        if not found and authority is None:
            return None
        if authority is None:
            return self._accepted(found[0])
        if found:
            split_authority(found[0])
        return self._accepted(authority)

    def _accepted(self, authority: bytes) -> str:
        host, port = split_authority(authority)
        known = host in self._hosts or host.endswith(".localhost")
        if known and (port is None or self._port is None or port == self._port):
            return host
        if authority.decode("ascii").lower() in self._hosts:
            return host
        raise MessageError("this Host is not served here (see `hosts` in the configuration)", 421)

    def browser(self, fields: Sequence[Field]) -> None:
        """Keep web pages out (Fetch Metadata, RFC 6454).

        Raises:
            MessageError: 403 for a foreign Origin, or a Sec-Fetch-Site that tells of one.
        """
        origins = values(fields, b"origin")
        if origins:
            if any(origin.lower() not in self._origins for origin in origins):
                raise MessageError(
                    "this Origin may not call (see `browser_origins`)", 403, "origin"
                )
            return
        if any(site.lower() not in OWN_SITE for site in values(fields, b"sec-fetch-site")):
            raise MessageError("requests from other web sites are refused", 403, "origin")

    def client(self, fields: Sequence[Field]) -> tuple[str | None, bool]:
        """The client whose key came along, and whether ``Authorization`` carried it.

        Raises:
            MessageError: 403 where clients are configured and no valid key came.
        """
        if not self._clients:
            return None, False
        carried = [
            name
            for value in values(fields, b"authorization")
            for key in _keys(value)
            if (name := self._owner(key))
        ]
        shown = [name for value in values(fields, KEY_FIELD) if (name := self._owner(value))]
        if not shown and not carried:
            raise MessageError(
                "a client key is needed: Authorization or X-Token-Sidecar-Key", 403, "client_key"
            )
        return (shown or carried)[0], bool(carried)

    def _owner(self, key: bytes) -> str | None:
        owner = None
        for name, expected in self._clients:  # all of them, so that time tells nothing
            if hmac.compare_digest(key, expected):
                owner = name
        return owner


def _keys(authorization: bytes) -> list[bytes]:
    scheme, _, rest = authorization.partition(b" ")
    rest = rest.strip()
    if scheme.lower() == b"bearer":
        return [rest]
    if scheme.lower() != b"basic":
        return []
    try:
        return [base64.b64decode(rest, validate=True).partition(b":")[2]]
    except binascii.Error:
        return []
