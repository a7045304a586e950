"""The token that a caller sends for itself, where a route exchanges it (``subject: request``).

Decides what is one (RFC 6750 section 2.1) and what the caller is told otherwise: never a 401, which
would be the upstream's word. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from proxy.http1.fields import Field, values
from proxy.http1.refusal import MessageError
from proxy.secret import Secret

BEARER: Final = re.compile(rb"bearer +([!-~]+)", re.IGNORECASE)


def own_token(fields: Sequence[Field], *, key_in_authorization: bool) -> Secret:
    """The caller's own token.

    Args:
        fields: the request's.
        key_in_authorization: ``Authorization`` carries a client key.

    Raises:
        MessageError: 403 where there is none, more than one, or a client key in its place.
    """
    if key_in_authorization:
        raise MessageError(
            "here Authorization is for the caller's own token: send the client key as"
            " X-Token-Sidecar-Key",
            403,
            "caller_token",
        )
    sent = values(fields, b"authorization")
    match = BEARER.fullmatch(sent[0]) if len(sent) == 1 else None
    if match is None:
        raise MessageError(
            "the caller's own token is needed here: send it once, as Authorization: Bearer TOKEN",
            403,
            "caller_token",
        )
    return Secret(match[1].decode("ascii"))
