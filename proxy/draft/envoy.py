"""A draft from an Envoy configuration with the credential_injector filter.

Envoy's API v3: ``injected_credentials.oauth2.v3.OAuth2`` and its secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from proxy.config.document import compose
from proxy.config.report import Report
from proxy.draft.draft import Draft, Place
from proxy.errors import DraftError
from proxy.secret import Secret

_AUTHENTICATION: Final = {"BASIC_AUTH": "basic", "URL_ENCODED_BODY": "post"}
_MAPPED: Final = ("@type", "token_endpoint", "scopes", "client_credentials", "endpoint_params")


def from_envoy(text: str, name: str) -> Draft:
    """The draft that Envoy's configuration means; ``name`` is the file's, for messages.

    Raises:
        ConfigurationError: it can't be read.
        DraftError: there is no OAuth 2 credential in it.
    """
    tree = _tree(text, name)
    found = [one for one in _mappings(tree) if "oauth2.v3.OAuth2" in str(one.get("@type"))]
    if not found:
        raise DraftError(
            f"{name} has no credential_injector with an OAuth2 credential "
            "(…injected_credentials.oauth2.v3.OAuth2): there is nothing to import"
        )
    return _draft(found[0], tree, name, left=len(found) - 1)


def _draft(found: Mapping[str, Any], tree: object, name: str, *, left: int) -> Draft:
    client, endpoint = _inner(found, "client_credentials"), _inner(found, "token_endpoint")
    if not (client.get("client_id") and endpoint.get("uri")):
        raise DraftError(f"{name}: the OAuth2 credential has no client_id or no token_endpoint.uri")
    draft = Draft(keys={"token_url": str(endpoint["uri"]), "client_id": str(client["client_id"])})
    if scopes := found.get("scopes"):
        draft = draft.having("scope", " ".join(map(str, scopes)))
    draft = _authentication(draft, str(client.get("auth_type", "BASIC_AUTH")))
    for one in found.get("endpoint_params") or ():
        if isinstance(one, dict):
            draft = draft.having(f"params.{one.get('name')}", str(one.get("value", "")))
    draft = _secret(draft, _inner(client, "client_secret"), tree)
    for key in found:
        if key not in _MAPPED:
            draft = draft.noting(
                f"Envoy's {key} has no place here: tokens are renewed by themselves"
            )
    if left:
        draft = draft.noting(f"{left} further OAuth2 credentials were left out")
    return replace(draft, upstream=_upstream(tree, str(endpoint.get("cluster"))))


def _tree(text: str, name: str) -> object:
    report = Report(name)
    tree = compose(text, report)
    if not report.clean:
        raise report.fail()
    return tree


def _mappings(tree: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for one in inner:
        yield from _mappings(one)


def _inner(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def _authentication(draft: Draft, kind: str) -> Draft:
    if kind not in _AUTHENTICATION:
        return draft.noting("Envoy's auth_type is not known here: client_auth is left at basic")
    return draft.having("client_auth", _AUTHENTICATION[kind])


def _secret(draft: Draft, reference: Mapping[str, Any], tree: object) -> Draft:
    """The secret of that name, where the same file holds it."""
    for one in _mappings(tree):
        if one.get("name") == reference.get("name") and "generic_secret" in one:
            source = _inner(_inner(one, "generic_secret"), "secret")
            if (found := _source(source)) is not None:
                return draft.hiding("client_secret", found)
    return draft.noting("the client secret comes by Envoy's secret discovery: it is asked for")


def _source(source: Mapping[str, Any]) -> Secret | Place | None:
    if source.get("inline_string"):
        return Secret(str(source["inline_string"]))
    if source.get("filename"):
        return {"file": str(source["filename"])}
    if source.get("environment_variable"):
        return {"env": str(source["environment_variable"])}
    return None


def _upstream(tree: object, provider: str) -> str | None:
    """The one cluster that is not the provider's, where there is just one."""
    found = {
        str(one.get("name")): one
        for one in _mappings(tree)
        if "load_assignment" in one and str(one.get("name")) != provider
    }
    if len(found) != 1:
        return None
    (cluster,) = found.values()
    addresses = [one["socket_address"] for one in _mappings(cluster) if "socket_address" in one]
    if len(addresses) != 1 or not isinstance(addresses[0], dict):
        return None
    scheme = "https" if "transport_socket" in cluster else "http"
    host, port = addresses[0].get("address"), addresses[0].get("port_value")
    usual = {"https": 443, "http": 80}[scheme]
    return f"{scheme}://{host}/" if port in (None, usual) else f"{scheme}://{host}:{port}/"
