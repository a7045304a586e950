"""What the vendors' presets ask for and fill in. Whatever is given stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from proxy.config.addresses import url
from proxy.config.credential_keys import CredentialKeys
from proxy.config.grant_keys import FormKeys
from proxy.config.report import Section
from proxy.config.scalars import UnfitError

Fills = Mapping[str, object]
ENDPOINTS: Final = ("token_url", "issuer", "login_url")
_OPENID: Final = "/protocol/openid-connect"


def fill(keys: CredentialKeys, section: Section) -> CredentialKeys:
    """``keys`` with what its preset fills in; what the preset asks for in vain is reported."""
    if keys.preset is None:
        _refuse_askings(keys, section, ())
        return keys
    asks, preset = _PRESETS[keys.preset]
    _refuse_askings(keys, section, asks)
    fills = preset(keys, section)
    return keys.model_copy(
        update={name: one for name, one in fills.items() if name not in keys.model_fields_set}
    )


def has_endpoint(keys: CredentialKeys, section: Section) -> bool:
    """Whether the provider's address is given, or was and is reported already."""
    return any(getattr(keys, name) or section.spoiled(name) for name in ENDPOINTS)


def _refuse_askings(keys: CredentialKeys, section: Section, asks: tuple[str, ...]) -> None:
    for name in ("prefix", "suffix", "host", "realm"):
        if name in keys.model_fields_set and name not in asks:
            belongs = [preset for preset, (asked, _) in _PRESETS.items() if name in asked]
            section.unfit(name, f"`{name}` belongs to preset {' and '.join(belongs)}")


def _endpoint(keys: CredentialKeys, section: Section, name: str, made: str | None) -> Fills:
    if has_endpoint(keys, section) or made is None:
        return {}
    return {name: made}


def _asked(keys: CredentialKeys, section: Section, *names: str) -> bool:
    """Whether all ``names`` are given, where the address depends on them."""
    if has_endpoint(keys, section):
        return False
    absent = [name for name in names if not getattr(keys, name)]
    for name in absent:
        section.missing(name, f"preset {keys.preset} asks for `{name}`")
        section.report.spoil((*section.trail, "issuer"))  # it follows from this one
    return not absent


def _base(host: str, section: Section) -> str | None:
    """The host's URL; a port, or another scheme, may come with it."""
    whole = host if "://" in host else f"https://{host}"
    try:
        found = url(whole)
    except UnfitError:
        found = None
    if found is None or found.path not in ("", "/") or found.query:
        section.wrong("host", "`host` must be a host name, with a port or none")
        section.report.spoil((*section.trail, "issuer"))
        return None
    return f"{'https' if found.secure else 'http'}://{found.authority}"


def _wallaroo(keys: CredentialKeys, section: Section) -> Fills:
    fills: dict[str, object] = {"client_id": "api-client"}
    if keys.username or keys.password:
        fills["grant"] = "password"
    if not _asked(keys, section, "suffix"):
        return fills
    host = f"{keys.prefix}.keycloak.{keys.suffix}" if keys.prefix else f"keycloak.{keys.suffix}"
    made = f"https://{host}/auth/realms/master{_OPENID}/token"
    try:
        url(made)
    except UnfitError:
        section.wrong(
            "suffix", "`prefix` and `suffix` must make a host name: prefix.keycloak.suffix"
        )
        section.report.spoil((*section.trail, "token_url"))
        return fills
    return {**fills, **_endpoint(keys, section, "token_url", made)}


def _seldon(keys: CredentialKeys, section: Section) -> Fills:
    fills: dict[str, object] = {
        "client_id": "sd-api",
        "scope": "openid",
        "use": ("id_token", "access_token"),
    }
    if keys.username or keys.password:
        fills["grant"] = "password"
    elif not (keys.client_secret or section.spoiled("client_secret")):
        fills["grant"] = "authorization_code"
    if keys.client_secret:
        fills["client_auth"] = "post"
    if _asked(keys, section, "host"):
        realm = keys.realm or "deploy-realm"
        fills |= _endpoint(keys, section, "issuer", _issuer(keys.host or "", realm, section))
    grant = keys.grant if "grant" in keys.model_fields_set else fills.get("grant")
    return {**fills, **(_seldon_redirect(keys) if grant == "authorization_code" else {})}


def _seldon_redirect(keys: CredentialKeys) -> Fills:
    """The one redirect URI that Seldon's own client has; a person pastes what it brings there."""
    if not keys.host or keys.redirect_port:
        return {}
    base = keys.host if "://" in keys.host else f"https://{keys.host}"
    return {"redirect_uri": f"{base.rstrip('/')}/seldon-deploy/auth/callback"}


def _runai(keys: CredentialKeys, section: Section) -> Fills:
    fills: dict[str, object] = {
        "client_auth": "post",
        "scope": "openid",
        "params": {"response_type": "id_token"},
    }
    if _asked(keys, section, "realm"):
        made = _issuer(keys.host or "app.run.ai", keys.realm or "", section)
        fills |= _endpoint(keys, section, "issuer", made)
    return fills


def _runai_api(keys: CredentialKeys, section: Section) -> Fills:
    fills: dict[str, object] = {
        "client_auth": "post",
        "request": {
            "grant_type": "grantType",
            "client_id": "clientId",
            "client_secret": "clientSecret",
        },
        "use": ("accessToken",),
    }
    if _asked(keys, section, "host") and (base := _base(keys.host or "", section)):
        fills |= _endpoint(keys, section, "token_url", f"{base}/api/v1/token")
    return fills


def _dex(_: CredentialKeys, __: Section) -> Fills:
    """Kubeflow and Seldon both have Dex behind their ingress, with its form."""
    return {"grant": "session", "form": FormKeys(username="login", password="password")}  # noqa: S106 - a field's name


def _issuer(host: str, realm: str, section: Section) -> str | None:
    base = _base(host, section)
    if base is None:
        return None
    return f"{base}/auth/realms/{quote(realm, safe='')}"


def _eggplant(keys: CredentialKeys, section: Section) -> Fills:
    if not has_endpoint(keys, section) and not keys.credentials_file:
        section.missing(
            ("credentials_file", "issuer"),
            "preset eggplant asks for `credentials_file`, or login_url with client_id and secret",
        )
        section.report.spoil((*section.trail, "issuer"))
        section.report.spoil((*section.trail, "client_id"))
        section.report.spoil((*section.trail, "client_secret"))
    return {"client_auth": "post"}


_PRESETS: Final[
    Mapping[str, tuple[tuple[str, ...], Callable[[CredentialKeys, Section], Fills]]]
] = {
    "wallaroo": (("prefix", "suffix"), _wallaroo),
    "seldon": (("host", "realm"), _seldon),
    "seldon-session": ((), _dex),
    "runai": (("host", "realm"), _runai),
    "runai-api": (("host",), _runai_api),
    "eggplant": ((), _eggplant),
    "kubeflow": ((), _dex),
}
