"""``make bench``: everything side by side in interleaved rounds; writes ``bench/RESULTS.md``."""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.cost import growth, latency
from bench.cost.cases import CASES, Case
from bench.cost.measure import LOAD_CPU, Peer, wrk
from bench.cost.peers import PEERS, Scene, commands
from bench.cost.report import Row, machine, table, verdict
from bench.subject import REPOSITORY, ask, free_ports

RESULTS = REPOSITORY / "bench" / "RESULTS.md"
UPSTREAM = str(Path(__file__).with_name("upstream.py"))


@contextmanager
def upstreams(home: Path) -> Iterator[tuple[Scene, Scene]]:
    """A provider and two upstreams, one of them over TLS."""
    certificate, key = home / "certificate.pem", home / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        capture_output=True,
        check=True,
    )
    provider, plain, tls = free_ports(3)
    run = [
        [sys.executable, "-m", "bench.loopback", str(provider)],
        ["taskset", "-c", LOAD_CPU, sys.executable, UPSTREAM, str(plain)],
        ["taskset", "-c", LOAD_CPU, sys.executable, UPSTREAM, str(tls), str(certificate), str(key)],
    ]
    running = [subprocess.Popen(each, cwd=REPOSITORY) for each in run]
    try:
        ask(plain, "/0", deadline=20)
        yield (
            Scene(home, provider, plain, certificate, tls=False),
            Scene(home, provider, tls, certificate, tls=True),
        )
    finally:
        for each in running:
            each.kill()
            each.wait()


@contextmanager
def peers(scene: Scene, wanted: Sequence[str]) -> Iterator[dict[str, Peer]]:
    """The proxies, all of them running."""
    ports = dict(zip(PEERS, free_ports(len(PEERS)), strict=True))
    started: dict[str, Peer] = {}
    try:
        for name, command in commands(scene, ports).items():
            if name in wanted:
                started[name] = Peer(name, command, ports[name], scene.home)
        yield started
    finally:
        for peer in started.values():
            peer.stop()


def rounds(
    running: dict[str, Peer], case: Case, home: Path, seconds: int, count: int
) -> dict[str, Row]:
    """One case, every peer in turn, ``count`` times over."""
    rows = {name: Row() for name in running}
    for _ in range(count):
        for name, peer in running.items():
            before = peer.cpu()
            load = wrk(peer.port, case.path, case.connections, seconds, case.script(home))
            row = rows[name]
            row.cpu.append((peer.cpu() - before) / max(1, load.requests) * 1e6)
            row.rate.append(load.per_second)
            row.p50.append(load.p50)
            row.p99.append(load.p99)
            row.megabytes = max(row.megabytes, peer.megabytes())
            row.bad |= {load.bad} - {""}
    return rows


def added_latency(running: dict[str, Peer], scene: Scene, seconds: int) -> str:
    """p50 and p99 at a fixed rate, and what each proxy adds to going there directly."""
    ports = {"directly": scene.upstream} | {name: peer.port for name, peer in running.items()}
    found = {
        name: latency.percentiles(asyncio.run(latency.probe(port, seconds)))
        for name, port in ports.items()
    }
    lines = ["| | p50 µs | p99 µs | adds at p50 | adds at p99 |", "|---|---|---|---|---|"]
    for name, (p50, p99) in found.items():
        more = (p50 - found["directly"][0], p99 - found["directly"][1])
        lines.append(f"| {name} | {p50:.0f} | {p99:.0f} | {more[0]:.0f} | {more[1]:.0f} |")
    return "\n".join(lines)


def sizes(running: dict[str, Peer]) -> str:
    """Resident size with 0, 1,000 and 10,000 idle connections that have each had an answer."""
    lines = [
        "| resident MB | at rest | 1,000 connections | 9,500 connections |",
        "|---|---|---|---|",
    ]
    for name, peer in running.items():
        row = [f"{peer.megabytes():.1f}"]
        for count in (1000, 9500):
            with growth.open_connections(peer.port, count):
                row.append(f"{peer.megabytes():.1f}")
        lines.append(f"| {name} | {' | '.join(row)} |")
    return "\n".join(lines)


def asked() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases, by name, with commas between")
    parser.add_argument("--peers", default=",".join(PEERS))
    return parser.parse_args()


def one_scene(scene: Scene, told: argparse.Namespace) -> tuple[dict[str, dict[str, Row]], str]:
    """Every case of a scene, and, of the plain one, latency and memory."""
    wanted = [case for case in CASES if not told.only or case.name in told.only.split(",")]
    results = {}
    with peers(scene, told.peers.split(",")) as running:
        for case in (each for each in wanted if each.tls == scene.tls):
            rows = rounds(running, case, scene.home, told.seconds, told.rounds)
            results[case.name] = rows
            print(table({case.name: rows}), flush=True)
        if told.only or scene.tls:
            return results, ""
        added = added_latency(running, scene, 2 * told.seconds)
        return results, (
            f"## Added latency at {latency.RATE} requests a second\n\n{added}\n\n"
            f"## Memory\n\n{sizes(running)}\n\n"
        )


def main() -> int:
    """Run what was asked for; all of it goes into the results file."""
    told = asked()
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    results: dict[str, dict[str, Row]] = {}
    further = ""
    with tempfile.TemporaryDirectory(prefix="token-sidecar-bench-") as home:
        Path(home).chmod(0o755)  # nginx's worker is another user
        with upstreams(Path(home)) as scenes:
            for scene in scenes:
                found, more = one_scene(scene, told)
                results |= found
                further += more
            if not told.only:
                grown = growth.measure(scenes[0], free_ports(3), told.seconds, told.rounds)
                further += f"## Growth\n\n{growth.table(grown)}\n"
    print(verdict(results), further, sep="\n\n")
    if not told.only:
        RESULTS.write_text(
            "# What forwarding costs\n\nBy `make bench`: CPU time of the proxy for a request,"
            f" medians of {told.rounds} interleaved rounds of {told.seconds} s. {machine()}\n\n"
            f"{verdict(results)}\n\n## Every peer\n\n{table(results)}\n\n{further}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
