"""Why a server's certificate is not trusted, and what would make it so.

Looks at the certificate a second time without trust, to name what it says of itself.
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from proxy.config.model import Tls
from proxy.oauth.text import description

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Distrust:
    """What is wrong with a certificate."""

    cause: str
    told: str
    advice: str


def explain(error: ssl.SSLCertVerificationError, host: str, port: int, tls: Tls) -> Distrust:
    """What ``error`` means, with what the certificate says."""
    shown = _fetch(host, port)
    signed_by = "" if shown is None else _named(shown.issuer)
    match error.verify_code:
        case 10:
            when = "" if shown is None else f" on {shown.not_valid_after_utc:%Y-%m-%d}"
            return Distrust(
                "certificate_expired",
                f"the certificate of {host} expired{when}",
                "have it renewed; if it is valid, this machine's clock is wrong",
            )
        case 9:
            return Distrust(
                "certificate_not_yet_valid",
                f"the certificate of {host} is not valid yet",
                "this machine's clock is probably behind: set it",
            )
        case 62 | 64:
            names = "" if shown is None else f"; it is for {_names(shown) or 'no name at all'}"
            return Distrust(
                "certificate_name",
                f"the certificate is not for {host}{names}",
                "use a name that it is for, or have it made for this one",
            )
        case 18:
            return Distrust(
                "self_signed",
                f"the certificate of {host} is signed by itself",
                f"save it and set tls.ca_file to that file: openssl s_client -connect {host}:{port}"
                " </dev/null | openssl x509 > server.pem",
            )
    return _unknown_signer(host, port, signed_by, tls)


def _unknown_signer(host: str, port: int, signed_by: str, tls: Tls) -> Distrust:
    by = f"signed by {signed_by}" if signed_by else "signed by an authority"
    if tls.ca_file is None:
        return Distrust(
            "unknown_authority",
            f"the certificate of {host} is {by}, whom this machine does not know",
            "set tls.ca_file to that authority's certificate (PEM); ask whoever runs the server",
        )
    if _system_trusts(host, port):
        return Distrust(
            "wrong_ca_file",
            f"the certificate of {host} is {by}, who is not in {tls.ca_file}",
            "this machine's own authorities know it: take tls.ca_file away",
        )
    return Distrust(
        "wrong_ca_file",
        f"the certificate of {host} is {by}, who is not in {tls.ca_file}",
        f"put the certificate of {signed_by or 'that authority'} into tls.ca_file",
    )


def until(shown: bytes | None) -> str:
    """Until when a certificate (DER) is valid, as the rest of a sentence."""
    made = _parsed(shown)
    return "" if made is None else f", certificate until {made.not_valid_after_utc:%Y-%m-%d}"


def _fetch(host: str, port: int) -> Certificate | None:
    """What the server shows, believed by nobody."""
    with contextlib.suppress(OSError, ValueError):
        pem = ssl.get_server_certificate((host, port), timeout=PATIENCE)
        return _parsed(ssl.PEM_cert_to_DER_cert(pem))
    return None


def _system_trusts(host: str, port: int) -> bool:
    import socket  # noqa: PLC0415 - only when something is wrong already

    try:
        with (
            socket.create_connection((host, port), PATIENCE) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False


def _parsed(shown: bytes | None) -> Certificate | None:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 - 10 MB

    if not shown:
        return None
    try:
        return load_der_x509_certificate(shown)
    except ValueError:
        return None


def _names(shown: Certificate) -> str:
    from cryptography import x509  # noqa: PLC0415 - 10 MB

    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    listed = [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]
    return ", ".join(description(one) for one in listed[:5])


def _named(name: Name) -> str:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - 10 MB

    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(kind)
        if found:
            return f"“{description(str(found[0].value))}”"
    return ""
