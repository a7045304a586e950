"""A docker credential helper: a word on the command line, JSON on stdin and stdout.

Decides which registries are answered. Protocol: docker/docker-credential-helpers.
"""

from __future__ import annotations

import json
import sys

from proxy.cli.helper.wanted import ProtocolError, Wanted, question, server

ABSENT = "credentials not found in native keychain"
"""What docker takes for "ask without a credential"; any other words are an error to it."""


def serve(wanted: Wanted) -> int:
    """Answer one question; raises as ``lending_out.lent``, and ProtocolError."""
    if not wanted.urls:
        raise ProtocolError(
            "docker asks its helper about every registry: name yours with --url, for example"
            " --url https://registry.example.com"
        )
    if wanted.operation == "list":
        _say(dict.fromkeys(wanted.urls, wanted.username))
        return 0
    asked = question().strip()
    if wanted.operation == "store":
        return 0  # what it has to keep is what we gave it
    if server(asked) not in map(server, wanted.urls):
        sys.stdout.write(f"{ABSENT}\n")
        return 1
    if wanted.operation == "erase":
        wanted.refused(wanted.lent().token.reveal())
    else:
        token = wanted.lent().token.reveal()
        _say({"ServerURL": asked, "Username": wanted.username, "Secret": token})
    return 0


def _say(said: dict[str, str]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
