"""Which keys of a credential fit together: what each grant needs, and what it has no use for.

RFC 6749 section 4 names the parameters of each grant, RFC 7523, RFC 8628 and RFC 8693 those
that came later. How the client shows who it is stands in ``client_proofs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy.config.addresses import is_loopback, url
from proxy.config.client_proofs import check_client, proof_of
from proxy.config.credential_keys import CredentialKeys
from proxy.config.model import FromRequest
from proxy.config.presets import ENDPOINTS, has_endpoint
from proxy.config.report import Section
from proxy.config.scalars import UnfitError
from proxy.config.shared import refuse_plain_http

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "password": ("username", "password"),
    "refresh_token": ("refresh_token",),
    "token_exchange": ("subject",),
    "session": ("url", "username", "password"),
    "static": ("token",),
}
_ENDPOINT_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "authorization_code": ("authorize_url", "issuer", "login_url"),
    "device_code": ("device_url", "issuer"),
}
_CODE: Final = ("authorization_code",)
_EXCHANGE: Final = ("token_exchange",)
_SESSION: Final = ("session",)
_ACTOR: Final = ("actor", "actor_type")
_GRANTS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "username": ("password", "session"),
    "password": ("password", "session"),
    "refresh_token": ("refresh_token",),
    "token": ("static",),
    "device_url": ("device_code",),
    "assertion": ("jwt_bearer",),
    "private_key": ("jwt_bearer",),
    "key_id": ("jwt_bearer",),
    "algorithm": ("jwt_bearer",),
    "claims": ("jwt_bearer",),
    **dict.fromkeys(("authorize_url", "redirect_uri", "redirect_port", "paste"), _CODE),
    **dict.fromkeys(("subject", "subject_type", "requested_type", *_ACTOR), _EXCHANGE),
    **dict.fromkeys(("url", "form", "connector", "cookies"), _SESSION),
}
_PROOFS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "assertion": ("federated",),
    "private_key": ("private_key_jwt",),
    "key_id": ("private_key_jwt",),
    "algorithm": ("private_key_jwt",),
    "assertion_audience": ("client_secret_jwt", "private_key_jwt"),
}
_FORM: Final = ("form", "connector", "cookies")
_WAY: Final = ("provider", "tls", "proxy", "allow_insecure")
_ALWAYS: Final = ("preset", "grant", "required", "renew", "clients")
_ONLY: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "static": ("it only has a token", ("token",)),
    "session": (
        "it only has a login page",
        (*_NEEDED["session"], *_FORM, *_WAY),
    ),
}


def check_combination(written: CredentialKeys, keys: CredentialKeys, section: Section) -> None:
    """Report what is missing in the complete ``keys`` and what is too much as ``written``."""
    if section.spoiled("grant") or section.spoiled("preset"):
        return
    for name in _NEEDED.get(keys.grant, ()):
        if not getattr(keys, name):
            section.missing(name, f"grant {keys.grant} needs `{name}`")
    _useless(written, keys, section)
    if keys.grant not in _ONLY:
        _endpoints(keys, section)
        check_client(keys, section)
    if keys.grant == "token_exchange" and keys.actor_type and not keys.actor:
        section.unfit("actor_type", "`actor_type` has no meaning without `actor`")
    if keys.grant == "jwt_bearer":
        _assertion(keys, section)
    if keys.grant == "authorization_code":
        _redirect(written, keys, section)
    if keys.required and keys.subject == FromRequest():
        section.wrong("required", "`required` can't wait for a token that a caller brings along")


def leads_here(redirect_uri: str) -> bool:
    """Whether a browser on this machine that is sent there can come to us."""
    try:
        found = url(redirect_uri)
    except UnfitError:
        return False
    return not found.secure and is_loopback(found.host)


def _useless(written: CredentialKeys, keys: CredentialKeys, section: Section) -> None:
    why, only = _ONLY.get(keys.grant, ("", ()))
    for name in written.model_fields_set:
        if not getattr(written, name):  # off, or an empty list: not wanted
            continue
        if home := _home_elsewhere(name, keys, section):
            section.unfit(name, f"`{name}` belongs to {home}")
        elif only and name not in only and name not in _ALWAYS:
            section.unfit(name, f"`{name}` has no meaning for grant {keys.grant}: {why}")


def _home_elsewhere(name: str, keys: CredentialKeys, section: Section) -> str | None:
    """What the key is for, and what this credential is instead; None where it fits."""
    grants, proofs = _GRANTS_OF.get(name, ()), _PROOFS_OF.get(name, ())
    proof = proof_of(keys)
    if not (grants or proofs) or keys.grant in grants:
        return None
    if proofs and (proof in proofs or section.spoiled("client_auth")):
        return None
    homes = [f"grant {' or '.join(grants)}"] if grants else []
    homes += [f"client_auth {' or '.join(proofs)}"] if proofs else []
    return f"{' or '.join(homes)}, and this one is {keys.grant if grants else proof}"


def _endpoints(keys: CredentialKeys, section: Section) -> None:
    if section.spoiled("provider"):
        return
    if not has_endpoint(keys, section):
        section.missing(
            ENDPOINTS,
            "there is no token_url, issuer or login_url, here or in a provider named here",
        )
        return
    names = _ENDPOINT_OF.get(keys.grant, ())
    if names and not any(getattr(keys, name) for name in names):
        section.missing(names, f"grant {keys.grant} needs `{names[0]}` or `issuer`")


def _assertion(keys: CredentialKeys, section: Section) -> None:
    """What is exchanged comes ready, or is signed here; a client's own proof is another one."""
    proof = proof_of(keys)
    ready = keys.assertion and proof != "federated"
    if not ready and not keys.private_key:
        names = ("private_key",) if proof == "federated" else ("assertion", "private_key")
        section.missing(names, f"grant jwt_bearer needs `{'` or `'.join(names)}`")
    elif not ready and not keys.claims:
        section.missing("claims", "grant jwt_bearer needs `claims` to sign: iss, sub, aud")
    elif not ready and not keys.client_id and "iss" not in (keys.claims or ()):
        section.wrong("claims", "`claims` needs `iss` where no client_id says it (RFC 7523)")
    elif ready and keys.private_key and proof != "private_key_jwt":
        section.unfit("private_key", "`private_key` and `assertion` exclude each other: keep one")
    elif ready and keys.claims:
        section.unfit("claims", "`claims` has no meaning beside `assertion`: it is signed already")


def _redirect(written: CredentialKeys, keys: CredentialKeys, section: Section) -> None:
    if written.redirect_uri and written.redirect_port:
        section.unfit("redirect_port", "`redirect_port` and `redirect_uri` exclude each other")
    if not keys.redirect_uri:
        return
    if keys.redirect_uri.startswith("http:") and not leads_here(keys.redirect_uri):
        try:
            allowed = keys.allow_insecure
            refuse_plain_http("redirect_uri", keys.redirect_uri, section, allowed=allowed)
        except UnfitError as error:
            section.wrong("redirect_uri", f"`redirect_uri` {error}")
    if keys.paste is False and not leads_here(keys.redirect_uri):
        section.wrong(
            "paste",
            "`paste: false` can't be: a browser that is sent to the redirect_uri never comes here",
        )
