"""The ways in which a client can show who it is: RFC 6749 section 2.3. Knows none of them."""

from __future__ import annotations

import enum


class ClientAuthentication(enum.StrEnum):
    """Where the client id and secret go, or what stands in for a secret.

    ``basic_raw`` is Basic without the form-encoding of section 2.3.1, for providers that do not
    decode it. The two ``_jwt`` are OpenID Connect Core section 9, ``federated`` is an assertion
    that somebody else signed (RFC 7523 section 2.2); with ``tls`` (RFC 8705 section 2) the
    connection's certificate is the proof.
    """

    BASIC = "basic"
    BASIC_RAW = "basic_raw"
    POST = "post"
    CLIENT_SECRET_JWT = "client_secret_jwt"  # noqa: S105 - the method's name
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS = "tls"
    FEDERATED = "federated"
    NONE = "none"
