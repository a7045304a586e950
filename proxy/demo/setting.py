"""The names that the parts of the demonstration agree on, and the sidecar's configuration file."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final

SECRET: Final = "DEMO_CLIENT_SECRET"  # noqa: S105 - the variable's name
PASSWORD: Final = "DEMO_PASSWORD"  # noqa: S105 - the variable's name
PASSWORD_FILE: Final = "mary.password"  # noqa: S105 - the file's name
CLIENT: Final = "api-client"
BY_HAND: Final = "by-hand"
"""A second client, for the token that nobody renews."""
USER: Final = "mary.jane@example.com"
SUBJECTS: Final = {"inference": CLIENT, "mlops": USER}
"""Whom the tokens of each of the sidecar's credentials speak for."""

TEMPLATE: Final = """\
# All that the sidecar is told. The client secret comes from the environment,
# the password from a file that only its owner can read.
listen: {listen}
admin: {admin}
state_dir: .

providers:
  demo:
    issuer: {issuer}

credentials:
  inference:
    provider: demo
    client_id: {client}
    client_secret: {{env: {secret}}}
  mlops:
    provider: demo
    grant: password
    client_id: {client}
    client_secret: {{env: {secret}}}
    username: {user}
    password: {{file: {password}}}

routes:
  - path: /v1/api/pipelines/infer/
    upstream: {api}/v1/api/pipelines/infer/
    credential: inference
  - path: /openai/
    upstream: {api}/openai/
    credential: inference
  - path: /v1/api/models/
    upstream: {api}/v1/api/models/
    credential: mlops
"""


@dataclass(frozen=True, slots=True)
class Where:
    """The outside world's addresses, as URLs; ``ledger`` tells what it counted."""

    issuer: str
    ledger: str
    api: str


@dataclass(frozen=True, slots=True)
class Doors:
    """The sidecar's two listeners, each HOST:PORT."""

    listen: str
    admin: str


def configuration(where: Where, doors: Doors) -> str:
    """The configuration file's text."""
    return TEMPLATE.format(
        listen=doors.listen,
        admin=doors.admin,
        issuer=where.issuer,
        api=where.api,
        client=CLIENT,
        secret=SECRET,
        user=USER,
        password=PASSWORD_FILE,
    )


def free_doors() -> Doors:
    """Two ports of the loopback that were free a moment ago."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        ports = [listener.getsockname()[1] for listener in (one, two)]
    return Doors(*(f"127.0.0.1:{port}" for port in ports))
