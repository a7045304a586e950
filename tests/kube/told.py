"""What the surroundings tell the tests: addresses and names, by one environment variable."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

VARIABLE = "KUBE_SURROUNDINGS"
CLIENT, SECRET = "reports", "reports' own secret"
WORKLOAD = "workload"
"""A client without a secret: the service account ``reports`` of the namespace of this name."""

SUBJECT = f"system:serviceaccount:{WORKLOAD}:reports"
"""What its token says it is. Keycloak holds the request's ``client_id`` against that."""

CHANGING, NEXT_SECRET = "changing", "the secret it has from now on"
REDIS_PASSWORD = "redis-of-a-throw-away-lab"
LIFETIME = 15
"""Seconds that tokens live: much shorter than the tests."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is on the node.

    Attributes:
        issuer: the provider's realm.
        api: what asks for a good token; the path's first segment is a visitor.
        books: where the API's ledger is told, and visitors are made known.
        redis: the shared store's URL, without a user.
        ca_file: who signed all their certificates.
    """

    issuer: str
    api: str
    books: str
    redis: str
    ca_file: str

    def environment(self) -> dict[str, str]:
        """For the tests."""
        return os.environ | {VARIABLE: json.dumps(asdict(self))}


def surroundings() -> Surroundings:
    """What was told to this process."""
    return Surroundings(**json.loads(os.environ[VARIABLE]))
