"""How the server is reached: one, the one that Sentinels name, or a cluster; with TLS and a user.

The only place that knows redis-py's ways of connecting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError  # noqa: A004 - its own, not the system's

from proxy.config.model import RedisPlace, Tls
from proxy.secret import Secret

_PATIENCE: Final = 2.0
"""Seconds for a connection, and for an answer: tokens that live go on being served meanwhile."""
_FOR_SENTINELS: Final = ("socket_", "ssl", "protocol", "retry")


@dataclass(frozen=True, slots=True)
class Link:
    """Makes clients; each connects when it is used.

    Attributes:
        address: where.
        tls: how to trust it, where the address says TLS.
        password: of its user.
    """

    address: RedisPlace
    tls: Tls
    password: Secret | None = None

    @property
    def place(self) -> str:
        """It, in messages."""
        at = self.address.path or ", ".join(f"{host}:{port}" for host, port in self.address.hosts)
        match self.address.kind:
            case "sentinel":
                return f"Redis {self.address.service} (Sentinel {at})"
            case "cluster":
                return f"the Redis cluster at {at}"
            case _:
                return f"Redis at {at}"

    def client(self) -> Any:
        """For commands, at the primary."""
        address, options = self.address, self._options()
        if address.kind != "cluster":
            return self._one(address.hosts[0] if address.hosts else None, options)
        del options["retry"], options["db"]
        nodes = [ClusterNode(host, port, **options) for host, port in address.hosts]
        # Each try may follow a slot that has moved.
        return RedisCluster(startup_nodes=nodes, retry=Retry(NoBackoff(), 3), **options)

    def listeners(self) -> Iterator[Any]:
        """For messages, one after the other, without end; any node of a cluster passes them on."""
        for host in cycle(self.address.hosts or (None,)):
            yield self._one(host, self._options())

    def _one(self, host: tuple[str, int] | None, options: dict[str, Any]) -> Any:
        address = self.address
        if address.kind == "sentinel":
            asked = {name: options[name] for name in options if name.startswith(_FOR_SENTINELS)}
            ask: Any = Sentinel  # it ships types, but not for this
            sentinels = ask(address.hosts, sentinel_kwargs=asked, **options)
            return sentinels.master_for(address.service)
        if host is None:
            options = {name: one for name, one in options.items() if "keepalive" not in name}
            return Redis(unix_socket_path=address.path, **options)
        return Redis(host=host[0], port=host[1], **options)

    def _options(self) -> dict[str, Any]:
        address = self.address
        return {
            "db": address.db,
            "username": address.username,
            "password": None if self.password is None else self.password.reveal(),
            "client_name": "token-sidecar",
            "protocol": 2,
            "socket_timeout": _PATIENCE,
            "socket_connect_timeout": _PATIENCE,
            # A pooled connection may be dead: once more at once. All else is the caller's matter.
            "retry": Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        } | (self._tls() if address.secure else {})

    def _tls(self) -> dict[str, Any]:
        tls = self.tls
        return {
            "ssl": True,
            "ssl_cert_reqs": "required" if tls.verify else "none",
            "ssl_check_hostname": tls.verify,
            "ssl_ca_certs": _text(tls.ca_file),
            "ssl_certfile": _text(tls.cert_file),
            "ssl_keyfile": _text(tls.key_file),
        }


async def close(client: Any) -> None:
    """Close a client, and those that ask its Sentinels, which it does not close itself."""
    await client.aclose()
    asking = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    for sentinel in () if asking is None else asking.sentinels:
        await sentinel.aclose()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
