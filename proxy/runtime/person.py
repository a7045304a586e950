"""The person at the terminal, as a login sees them: what they are shown and asked."""

from __future__ import annotations

from typing import Protocol

from proxy.oauth.device import DeviceAuthorization


class Person(Protocol):
    """Whoever runs ``token-sidecar login``."""

    def send(self, url: str, *, returns: bool) -> None:
        """Show where to log in, in a browser if there is one.

        ``returns``: a browser on this machine brings the answer here by itself.
        """

    def show_code(self, shown: DeviceAuthorization) -> None:
        """Show a code, and where to type it in."""

    async def pasted(self) -> str:
        """What the person pasted: one line, waiting for it.

        Raises:
            EOFError: nothing will ever come.
        """

    def complain(self, message: str) -> None:
        """Say what was wrong about what was pasted; the login goes on waiting."""
