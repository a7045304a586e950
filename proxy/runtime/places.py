"""Where one configuration listens, and for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from proxy.config.model import Config
from proxy.plane.settings import Address, PlaneSettings
from proxy.runtime.binding import Place
from proxy.runtime.sockets import PRIVATE, SHARED
from proxy.runtime.translate import address

OWN: Final = "own socket"
METRICS: Final = "metrics"


def data_places(settings: PlaneSettings) -> Iterator[Place]:
    """The main listeners, then the routes' own."""
    mode = SHARED if settings.peer_uids else PRIVATE
    for main in dict.fromkeys(settings.listeners):
        yield Place("listen", main, mode)
    own = dict.fromkeys(route.listener for route in settings.routes if route.listener)
    for listener in own:
        if listener not in settings.listeners:
            yield Place("routes", listener, mode)


def control_places(config: Config, own: Path | None) -> Iterator[Place]:
    """The control plane's, and the sidecar's own socket where there can be one."""
    if config.admin is not None:
        yield Place("admin", address(config.admin))
    if config.metrics is not None:
        yield Place(METRICS, address(config.metrics))
    if own is not None:
        yield Place(OWN, Address(path=str(own)))
