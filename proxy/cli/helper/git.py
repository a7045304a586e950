"""A git credential helper: attributes on stdin and stdout; gitcredentials(7), git-credential(1).

Decides which servers are answered, and in which way: as a bearer token where git can send one and
the server asks for one, else as a password. What git has to store is stored already.
"""

from __future__ import annotations

import sys
import time

from proxy.cli.edge import warn
from proxy.cli.helper.wanted import ProtocolError, Wanted, question, server
from proxy.client.lent import Lent
from proxy.message import is_loopback

Attributes = dict[str, list[str]]
"""What was said, by name; names that end in ``[]`` have many values."""


def serve(wanted: Wanted) -> int:
    """Answer one question; raises as ``lending_out.lent``, and ProtocolError."""
    asked = attributes(question())
    if wanted.operation not in {"get", "erase"} or not answered(asked, wanted.urls):
        return 0
    if wanted.operation == "erase":
        for refused in (*asked.get("password", ()), *asked.get("credential", ())):
            wanted.refused(refused)
        return 0
    try:
        lent = wanted.lent()
    except BaseException:
        # Else git would ask the person for a password, who has none, and a script would hang.
        sys.stdout.write("quit=1\n")
        raise
    sys.stdout.write(answer(asked, lent, wanted.username, time.time()))
    return 0


def attributes(said: str) -> Attributes:
    """What git says, line by line up to an empty one.

    Raises:
        ProtocolError: a line is no attribute.
    """
    found: Attributes = {}
    for line in said.split("\n"):
        if not line:
            break
        name, equals, value = line.partition("=")
        if not equals:
            raise ProtocolError("git's question has a line that is no attribute")
        found.setdefault(name, []).append(value)
    return found


def answered(asked: Attributes, urls: tuple[str, ...]) -> bool:
    """Whether this server may have the token: over https, and one of ``urls`` if there are any."""
    scheme, host = asked.get("protocol", [""])[-1], asked.get("host", [""])[-1]
    there = server(f"{scheme}://{host}")
    if scheme == "http" and not is_loopback(there.rpartition(":")[0]):
        warn(f"no token goes over plain http to {host}")
        return False
    return scheme in {"http", "https"} and (not urls or there in map(server, urls))


def answer(asked: Attributes, lent: Lent, username: str, now: float) -> str:
    """The attributes to tell git; ``now``: seconds since the epoch."""
    token = lent.token.reveal()
    offers = (said.lower().split(" ", 1)[0] for said in asked.get("wwwauth[]", ()))
    if "authtype" in asked.get("capability[]", ()) and "bearer" in offers:
        lines = ["capability[]=authtype", "authtype=Bearer", f"credential={token}", "ephemeral=1"]
    else:
        lines = [f"username={asked.get('username', [username])[-1]}", f"password={token}"]
    if lent.expires_in is not None:
        lines.append(f"password_expiry_utc={int(now + lent.expires_in)}")
    return "".join(f"{line}\n" for line in lines)
