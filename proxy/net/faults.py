"""Turns what the network and aiohttp's client throw into one line: what, where, what to do.

The only place that knows aiohttp's exceptions; shows no path, query, user name or password.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientSSLError,
)

from proxy.errors import Failure, TokenRequestError

_UNTRUSTED = "set tls.ca_file to the certificate authority that signed it"
_ADVICE = {
    10: "it has to be renewed",
    62: "use the name it was made for",
    64: "use the name it was made for",
}
"""What helps, by OpenSSL's X509_V_ERR numbers: expired, hostname mismatch, address mismatch."""


@contextmanager
def explained(where: str, proxy: str | None, longest: float) -> Iterator[None]:
    """Raise what goes wrong inside as a ``TokenRequestError`` about ``where``."""
    try:
        yield
    except TokenRequestError:
        raise
    # Without their cause: aiohttp's exceptions carry the request, and that carries secrets.
    except TimeoutError:
        raise _fault("timeout", f"{where} did not answer within {longest:g} s") from None
    except (ClientError, OSError, ValueError) as error:
        raise _explain(error, where, proxy) from None


def too_large(where: str, largest: int) -> TokenRequestError:
    """An answer beyond every bound."""
    return _fault("too_large", f"{where} sent more than {largest} bytes; is this the provider?")


def _explain(error: Exception, where: str, proxy: str | None) -> TokenRequestError:
    match error:
        case ClientHttpProxyError():
            return _fault("connect", f"the proxy {proxy} answered {error.status} for {where}")
        case ClientProxyConnectionError():
            return _fault("connect", f"the proxy {proxy} is out of reach: {_words(error)}")
        case ClientConnectorDNSError():
            # Through a proxy only the proxy's own name is looked up here.
            return _fault("dns", f"the name in {proxy or where} can't be resolved: {_words(error)}")
        case ClientConnectorCertificateError():
            return _fault("tls", _certificate(error.certificate_error, where))
        case ClientSSLError() | ssl.SSLError():
            return _fault("tls", f"no TLS with {where}: {_tls_words(error)}")
        case ClientConnectorError():
            return _fault("connect", f"{where} can't be reached: {_words(error)}")
        case _:
            return _fault("network", f"{where} broke off the exchange ({type(error).__name__})")


def _certificate(error: Exception, where: str) -> str:
    told = (getattr(error, "verify_message", "") or "it does not verify").rstrip(".")
    advice = _ADVICE.get(getattr(error, "verify_code", 0), _UNTRUSTED)
    return f"the certificate of {where} is not trusted: {told}; {advice}"


def _words(error: ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, socket.gaierror) or cause.errno is None:
        return (cause.strerror or type(cause).__name__).lower()
    # The event loop words its own text, with the address once more.
    return os.strerror(cause.errno).lower()


def _tls_words(error: Exception) -> str:
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    reason = cause.reason if isinstance(cause, ssl.SSLError) else None
    return (reason or type(cause).__name__).replace("_", " ").lower()


def _fault(reason: str, message: str) -> TokenRequestError:
    return TokenRequestError(message, failure=Failure.TRANSIENT, reason=reason)
