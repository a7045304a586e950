"""What a login request says, whichever way it is written: form, JSON, multipart, Basic.

Only texts are kept; what can't be read says nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from proxy.http1.fields import values
from proxy.plane.local import Asked


def said(asked: Asked) -> Mapping[str, str]:
    """The names and values of the body."""
    kind = b"".join(values(asked.fields, b"content-type"))
    plain = kind.partition(b";")[0].strip().lower()
    if plain == b"application/json":
        return _json(asked.body)
    if plain == b"multipart/form-data":
        return _multipart(kind, asked.body)
    return dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))


def basic(asked: Asked) -> tuple[str, ...]:
    """The passwords that Basic authentication may mean: as it came, and form-decoded.

    RFC 6749 section 2.3.1 has id and secret encoded; not everybody does it.
    """
    sent = values(asked.fields, b"authorization")
    scheme, _, rest = (sent[0] if len(sent) == 1 else b"").partition(b" ")
    if scheme.lower() != b"basic":
        return ()
    try:
        pair = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ()
    password = pair.partition(":")[2]
    return password, unquote_plus(password)


def _json(body: bytes) -> Mapping[str, str]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: value for name, value in told.items() if isinstance(value, str)}


def _multipart(kind: bytes, body: bytes) -> Mapping[str, str]:
    # 20 ms and 3 MB that only Seldon's session login needs.
    from email.parser import BytesParser  # noqa: PLC0415
    from email.policy import HTTP  # noqa: PLC0415

    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind + b"\r\n\r\n" + body)
    found = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode("utf-8", "replace")
    return found
