"""All TLS contexts of a process: those towards others, and those that listeners show.

A file with another content makes a new context at the next reload.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection

from proxy.config.model import Certificate, Tls
from proxy.net.contents import Contents, Digest
from proxy.net.trust import Trust, show
from proxy.plane.certificates import server_context


class TlsContexts:
    """Hands out contexts; equal settings over unchanged files share one."""

    def __init__(self) -> None:
        self._contents = Contents()
        self._trust = Trust(self._contents)
        self._serving: dict[Certificate, tuple[tuple[Digest | None, ...], ssl.SSLContext]] = {}

    def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for ``tls``.

        Raises:
            TlsError: a file can't be read or is not what it should be.
        """
        return self._trust.get(tls)

    def serving(self, certificate: Certificate) -> ssl.SSLContext:
        """The context that a listener shows ``certificate`` with.

        Raises:
            TlsError: a file can't be read or is not what it should be.
        """
        paths = filter(None, (certificate.cert_file, certificate.key_file))
        digests = tuple(self._contents.of(path) for path in paths)
        made = self._serving.get(certificate)
        if made is None or made[0] != digests:
            context = server_context()
            show(context, certificate.cert_file, certificate.key_file)
            made = self._serving[certificate] = digests, context
        return made[1]

    def keep(self, towards: Collection[Tls], serving: Collection[Certificate]) -> None:
        """Forget all others: none of them is in use any more."""
        self._trust.keep(towards)
        for certificate in [one for one in self._serving if one not in serving]:
            del self._serving[certificate]
