"""TLS contexts towards providers and upstreams: one per set of files, made when needed.

Trust comes from the system's store or from ``ca_file`` alone; a file with another content makes
a new context the next time it is asked for.
"""

from __future__ import annotations

import ssl
from collections.abc import Collection
from pathlib import Path

from proxy.config.model import Tls
from proxy.errors import SidecarError
from proxy.net.contents import Contents, Digest


class TlsError(SidecarError):
    """A certificate or key file can't be used; the message says which and why."""


class Trust:
    """Hands out contexts; equal settings over unchanged files share one.

    Args:
        contents: what tells that a file has changed.
    """

    def __init__(self, contents: Contents | None = None) -> None:
        self._contents = Contents() if contents is None else contents
        self._made: dict[Tls, tuple[tuple[Digest | None, ...], ssl.SSLContext]] = {}

    def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for ``tls``.

        Raises:
            TlsError: a file can't be read or is not what it should be.
        """
        paths = filter(None, (tls.ca_file, tls.cert_file, tls.key_file))
        digests = tuple(self._contents.of(path) for path in paths)
        made = self._made.get(tls)
        if made is None or made[0] != digests:
            made = self._made[tls] = digests, _context(tls)
        return made[1]

    def keep(self, wanted: Collection[Tls]) -> None:
        """Forget all others."""
        for tls in [tls for tls in self._made if tls not in wanted]:
            del self._made[tls]


def show(context: ssl.SSLContext, cert_file: Path, key_file: Path | None) -> None:
    """Have ``context`` show this certificate.

    Raises:
        TlsError: a file can't be read or is not what it should be.
    """
    for path in filter(None, (cert_file, key_file)):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"{path} can't be read: {_reason(error)}") from None
    try:
        # Without a password at hand OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert_file, key_file, password=lambda: "")
    except (ssl.SSLError, ValueError):
        raise TlsError(
            f"cert_file {cert_file} and key_file {key_file or cert_file} are no PEM certificate "
            "with its own, unencrypted private key"
        ) from None


def _context(tls: Tls) -> ssl.SSLContext:
    context = _trust(tls.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION  # TLS 1.2's other peer in the middle of a body
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert_file is not None:
        show(context, tls.cert_file, tls.key_file)
    return context


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError:
        raise TlsError(f"ca_file {ca_file} holds no PEM certificate") from None
    except OSError as error:
        raise TlsError(f"ca_file {ca_file} can't be read: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
