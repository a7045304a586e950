"""Tells the service manager how we are: sd_notify(3), by datagrams to the socket it named.

Decides what it is told and when. All of it is best effort: where nobody listens, nothing changes.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, MutableMapping
from typing import Final

from proxy.clock import Clock, Timer
from proxy.control.snapshot import Read, Snapshot

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
BEAT: Final = 1.0
"""Seconds between two looks at what there is to tell."""
PATIENCE: Final = 0.5
"""Seconds that a datagram may wait for room at the other side."""
BEYOND: Final = 10.0
"""Seconds that an orderly end may take after what the configuration gives it."""
MICRO: Final = 1_000_000

Send = Callable[[bytes], None]


class Notifier:
    """Tells one service manager.

    Args:
        send: takes a datagram to it.
        watchdog: seconds without a sign of life after which it ends us; None: it does not.
    """

    def __init__(self, send: Send, clock: Clock, watchdog: float | None = None) -> None:
        self._send = send
        self._clock = clock
        self._watchdog = watchdog
        self._beat = BEAT if watchdog is None else min(BEAT, watchdog / 4)
        self._due = 0.0
        self._status = ""
        self._read: Read | None = None
        self._timer: Timer | None = None

    def ready(self, read: Read) -> None:
        """We listen on everything; tokens may still be on their way, and requests wait for them.

        From now on ``read`` tells how we are.
        """
        self._read = read
        self._tell("READY=1", *self._news(read()))
        self._wait()

    def reloading(self, begins: bool) -> None:
        """The configuration is read again; or that is over, whatever came of it."""
        if self._read is None:
            return
        if begins:
            self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * MICRO)}")
        else:
            self._tell("READY=1", *self._news(self._read()))

    def stopping(self, seconds: float) -> None:
        """We end, and that may take so long."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int((seconds + BEYOND) * MICRO)}")

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = self._clock.call_later(self._beat, self._look)

    def _look(self) -> None:
        if self._read is not None:
            self._tell(*self._news(self._read()))
        self._wait()

    def _news(self, snapshot: Snapshot) -> list[str]:
        """What is to be told now: the status where it has changed, a sign of life where due."""
        news, status = [], status_of(snapshot)
        if status != self._status:
            self._status = status
            news.append(f"STATUS={status}")
        now = self._clock.monotonic()
        if self._watchdog is not None and snapshot.serving and now >= self._due:
            self._due = now + self._watchdog / 2
            news.append("WATCHDOG=1")
        return news

    def _tell(self, *lines: str) -> None:
        if lines:
            self._send("\n".join(lines).encode("utf-8", "replace"))


def take_notifier(environ: MutableMapping[str, str], pid: int, clock: Clock) -> Notifier | None:
    """What tells the manager that ``environ`` names, once: it is not for children of ours."""
    said = {name: environ.pop(name, "") for name in VARIABLES}
    address = said["NOTIFY_SOCKET"]
    if not hasattr(socket, "AF_UNIX") or address[:1] not in {"/", "@"}:
        return None
    for_us = said["WATCHDOG_PID"] in {"", str(pid)} and said["WATCHDOG_USEC"].isdecimal()
    watchdog = int(said["WATCHDOG_USEC"]) / MICRO if for_us else 0
    return Notifier(_sender(address), clock, watchdog or None)


def status_of(snapshot: Snapshot) -> str:
    """One line for people, as ``systemctl status`` shows it."""
    if snapshot.draining:
        said = f"draining, {snapshot.in_flight} requests under way"
    elif not snapshot.serving:
        said = "no worker serves"
    elif snapshot.waiting:
        said = f"waiting for a first token: {', '.join(snapshot.waiting)}"
    else:
        said = "ready"
    refused = snapshot.reloads is not None and not snapshot.reloads.last_ok
    return said + ("; the last reload was refused: the log says why" if refused else "")


def _sender(address: str) -> Send:
    place = f"\0{address[1:]}" if address.startswith("@") else address

    def send(datagram: bytes) -> None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            sock.sendto(datagram, place)

    return send
