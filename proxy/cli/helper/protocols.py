"""Which protocol has which words, and who speaks it."""

from __future__ import annotations

from proxy.cli.helper.wanted import ProtocolError, Wanted

OPERATIONS = {
    "kubectl": (None,),
    "git": ("get", "store", "erase"),
    "docker": ("get", "store", "erase", "list"),
}
"""None: it is called without one."""
OPEN = frozenset({"git"})
"""Helpers of these have to be silent on operations that they do not know."""


def serve(wanted: Wanted) -> int:
    """Answer one call; the exit code.

    Raises:
        ProtocolError: it is no call of this protocol.
        SidecarError: as ``lending_out.lent``.
    """
    known = OPERATIONS[wanted.protocol]
    if wanted.operation not in known and (wanted.protocol not in OPEN or wanted.operation is None):
        words = " ".join(word or "nothing" for word in known)
        raise ProtocolError(f"{wanted.protocol} says after the credential's name: {words}")
    match wanted.protocol:
        case "kubectl":
            from proxy.cli.helper import kubectl  # noqa: PLC0415 - one of three

            return kubectl.serve(wanted)
        case "git":
            from proxy.cli.helper import git  # noqa: PLC0415

            return git.serve(wanted)
        case _:
            from proxy.cli.helper import docker  # noqa: PLC0415

            return docker.serve(wanted)
