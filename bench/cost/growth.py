"""Whether a request costs the same with many routes, credentials and open connections."""

from __future__ import annotations

import json
import socket
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench.cost.cases import CASES
from bench.cost.measure import Peer, wrk
from bench.cost.peers import OURS, Scene, ours

SMALL = replace(CASES[0], name="growth")


def configurations(scene: Scene, port: int) -> dict[str, list[str]]:
    """The product with one and with many of a thing."""
    command = ours(scene, port)
    whole = json.loads(Path(command[-1]).read_text())
    many_routes = dict(whole, routes=_routes(whole, 999) + whole["routes"])
    bench = whole["credentials"]["bench"]
    many_credentials = dict(
        whole,
        credentials={"bench": bench} | {f"c{n}": {**bench, "scope": f"s{n}"} for n in range(499)},
    )
    found = {"1 route, 1 credential": whole, "1,000 routes": many_routes}
    found["500 credentials"] = many_credentials
    return {
        name: [*command[:-1], scene.file(f"growth-{number}.yaml", json.dumps(each))]
        for number, (name, each) in enumerate(found.items())
    }


def _routes(whole: dict[str, list[dict[str, str]]], count: int) -> list[dict[str, str]]:
    return [{**whole["routes"][0], "path": f"/r{n}/deep/"} for n in range(count)]


@contextmanager
def open_connections(port: int, count: int) -> Iterator[None]:
    """Idle client connections, each of which has had an answer."""
    with ExitStack() as stack:
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            one.sendall(b"GET /0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            one.recv(4096)
        yield


def cost(peer: Peer, seconds: int, home: Path) -> float:
    """CPU microseconds of one small POST."""
    before = peer.cpu()
    load = wrk(peer.port, SMALL.path, SMALL.connections, seconds, SMALL.script(home))
    return (peer.cpu() - before) / load.requests * 1e6


def measure(scene: Scene, ports: list[int], seconds: int, rounds: int) -> dict[str, list[float]]:
    """CPU microseconds of a small POST in each configuration, round by round."""
    names = configurations(scene, 0)
    peers: dict[str, Peer] = {}
    try:
        for name, port in zip(names, ports, strict=True):
            peers[name] = Peer(OURS, configurations(scene, port)[name], port, scene.home)
        found: dict[str, list[float]] = {name: [] for name in peers}
        found["1,000 open connections"] = []
        first = next(iter(peers.values()))
        for _ in range(rounds):
            for name, peer in peers.items():
                found[name].append(cost(peer, seconds, scene.home))
            with open_connections(first.port, 1000):
                found["1,000 open connections"].append(cost(first, seconds, scene.home))
    finally:
        for peer in peers.values():
            peer.stop()
    return found


def table(found: dict[str, list[float]]) -> str:
    """Each as a ratio to the first, round by round."""
    base = next(iter(found.values()))
    lines = ["| product with | CPU µs a request | of the first |", "|---|---|---|"]
    for name, rounds in found.items():
        share = statistics.median(one / first for one, first in zip(rounds, base, strict=True))
        lines.append(f"| {name} | {statistics.median(rounds):.1f} | {share:.2f} |")
    return "\n".join(lines)
