"""Which egress proxy stands between us and an upstream, in the data plane's own words.

``net.egress`` decides, for providers and upstreams alike; this takes its answer apart. The
environment is read when a configuration is put to work, not with every request.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from proxy.config import model
from proxy.errors import SidecarError
from proxy.net.egress import proxy_for
from proxy.plane.settings import Proxy
from proxy.secret import Secret

DEFAULT_PORT: Final = 80


class EgressError(SidecarError):
    """The environment names a proxy that can't be used; the message says which variable."""


def proxy_of(route: model.Route, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to the route's upstream, or None to connect directly.

    Raises:
        EgressError: the environment names one that is no http://host:port.
    """
    scheme = "https" if route.upstream.secure else "http"
    host = f"[{route.upstream.host}]" if ":" in route.upstream.host else route.upstream.host
    url = proxy_for(f"{scheme}://{host}:{route.upstream.port}/", route.egress, environ)
    if url is None:
        return None
    try:
        return _taken_apart(urlsplit(url))
    except ValueError:
        raise EgressError(
            f"{scheme.upper()}_PROXY in the environment is no http://host:port: correct it, "
            "or give the route a `proxy` (or none)"
        ) from None


def _taken_apart(parts: SplitResult) -> Proxy:
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError
    userinfo, at, _ = parts.netloc.rpartition("@")
    return Proxy(parts.hostname, parts.port or DEFAULT_PORT, _basic(userinfo) if at else None)


def _basic(userinfo: str) -> Secret:
    """Credentials by RFC 7617; the URL has them percent-encoded."""
    user, _, password = userinfo.partition(":")
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return Secret("Basic " + base64.b64encode(pair).decode("ascii"))
