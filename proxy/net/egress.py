"""Which proxy stands between us and a provider: the configured one, or what the environment says.

Pure: the environment is handed in. NO_PROXY has no standard; the rules here are curl's, with
address ranges in addition.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from proxy.config.model import Egress
from proxy.message import is_loopback

_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, egress: Egress, environ: Mapping[str, str]) -> str | None:
    """The URL of the proxy to go through, or None to connect directly; never for loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if not egress.from_environment:
        return egress.url
    proxy = _variable(f"{parts.scheme}_proxy", environ)
    if not proxy or _excluded(host, _port(parts), _variable("no_proxy", environ)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(name: str, environ: Mapping[str, str]) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _excluded(host: str, port: int | None, no_proxy: str) -> bool:
    entries = (entry.strip().lower() for entry in no_proxy.split(","))
    return any(_matches(entry, host.lower().rstrip("."), port) for entry in entries if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    name, _, number = entry.rpartition(":")
    if name and number.isdecimal() and (":" not in name or name.endswith("]")):
        return int(number) == port and _matches(name, host, port)
    return _in_range(entry.strip("[]"), host) or _in_domain(entry, host)


def _in_domain(entry: str, host: str) -> bool:
    domain = entry.removeprefix("*").strip(".")
    return host == domain or host.endswith(f".{domain}")


def _in_range(entry: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
