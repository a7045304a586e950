"""All TLS contexts of a process: those towards others, and those that listeners show.

A file that changed on disk makes a new context at the next reload.
"""

from __future__ import annotations

import ssl

from proxy.config.model import Certificate, Tls
from proxy.net.trust import Stamp, Trust, show, stamp
from proxy.plane.certificates import server_context


class TlsContexts:
    """Hands out contexts; equal settings over unchanged files share one."""

    def __init__(self) -> None:
        self._trust = Trust()
        self._serving: dict[tuple[Certificate, tuple[Stamp | None, ...]], ssl.SSLContext] = {}

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
        files = (certificate.cert_file, certificate.key_file)
        key = (certificate, tuple(stamp(path) for path in files))
        if key not in self._serving:
            context = server_context()
            show(context, certificate.cert_file, certificate.key_file)
            self._serving[key] = context
        return self._serving[key]
