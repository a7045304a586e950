"""``make bench-idle``: thousands of idle connections beside live ones; what they cost."""

from __future__ import annotations

import contextlib
import resource
import socket
import sys
import time

from bench.subject import ask, processor, resident, setting

CONNECTIONS = 9_000
REQUESTS = 2_000
ALLOWED_KIB = 8.0
"""KiB of resident memory that an idle connection may take."""


def live(connection: socket.socket, count: int) -> float:
    """Seconds that so many requests take, one after the other on one connection."""
    started = time.perf_counter()
    for _ in range(count):
        connection.sendall(b"GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("the sidecar closed a live connection")
            head += part
    return time.perf_counter() - started


def idle_seconds(pid: int, seconds: float) -> float:
    """Processor seconds that the sidecar uses while nobody asks for anything, per second."""
    before = processor(pid)
    time.sleep(seconds)
    return (processor(pid) - before) / seconds


def main() -> int:
    """Measure, print, and say whether it is within what is allowed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard - 200)
    with setting() as subject, subject.sidecar() as process, contextlib.ExitStack() as held:
        ask(subject.port, "/0", deadline=10)
        first = held.enter_context(socket.create_connection(("127.0.0.1", subject.port)))
        alone = live(first, REQUESTS)
        memory, quiet = resident(process.pid), idle_seconds(process.pid, 3)
        for _ in range(count):
            held.enter_context(socket.create_connection(("127.0.0.1", subject.port)))
        beside = live(first, REQUESTS)
        each = (resident(process.pid) - memory) * 1024 / count
        crowded = idle_seconds(process.pid, 3)
    print(f"{count} idle connections: {each:.1f} KiB each")
    print(f"a request beside them takes {beside / alone:.2f} times as long as alone")
    print(f"processor while nothing happens: {quiet:.2%} alone, {crowded:.2%} beside them")
    return 0 if each <= ALLOWED_KIB else 1


if __name__ == "__main__":
    sys.exit(main())
