"""What ``token-sidecar token`` does, without the library that reads command lines: it costs more.

The token goes to stdout and nowhere else.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

from proxy.cli.edge import warn
from proxy.config.find import find
from proxy.runtime.hardening import forbid_dumps
from proxy.runtime.lending_out import lent


class Wanted(NamedTuple):
    """One ``token`` command.

    Attributes:
        name: the credential's.
        config: the configuration file, as it was named.
        min_ttl: seconds that the token should live.
        form: ``token``, ``header`` or ``json``.
    """

    name: str
    config: str | None = None
    min_ttl: float = 0.0
    form: str = "token"


def give(wanted: Wanted) -> int:
    """Print the token; see ``lending_out.lent`` for what can go wrong."""
    forbid_dumps()
    found = lent(
        find(wanted.config, os.environ, Path.cwd()),
        wanted.name,
        os.environ,
        min_ttl=wanted.min_ttl,
        tell=warn,
    )
    if found.expires_in is not None and found.expires_in < wanted.min_ttl:
        warn(f"{wanted.name}: tokens of this provider do not live for {wanted.min_ttl:g} s")
    value = found.token.reveal()
    if wanted.form == "header":
        value = f"Cookie: {value}" if found.cookie else f"Authorization: Bearer {value}"
    elif wanted.form == "json":
        value = json.dumps(
            {
                "credential": wanted.name,
                "token": value,
                "field": found.field,
                "expires_in": None if found.expires_in is None else round(found.expires_in, 3),
                "generation": found.generation,
            },
            indent=2,
        )
    sys.stdout.write(f"{value}\n")
    return 0
