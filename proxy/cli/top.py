"""``token-sidecar top``: whether all is well, live in a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from proxy.cli.options import config_option, find_config, seconds

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from proxy.cli.panel.watching import Watching
    from proxy.client.running import RunningSidecar

LEAST = 0.1
"""Seconds between two looks."""


@click.command(
    epilog="""\b
Examples:
  token-sidecar top
  token-sidecar top --address 127.0.0.1:8081 --interval 5s
  token-sidecar top --once
  token-sidecar top --json | jq -r .verdict.says

\b
Exit codes: 0 told, 1 no sidecar runs, 2 the configuration is not right."""
)
@config_option
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="The sidecar's `admin` listener. Else it is found by its configuration, as `status` does.",
)
@click.option(
    "--interval", metavar="DURATION", default="1s", callback=seconds, help="Between two looks."
)
@click.option("--once", is_flag=True, help="Print it once, after two looks, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print each look as JSON, one a line.")
def top(config: str | None, address: str | None, interval: float, once: bool, as_json: bool) -> int:
    """Show how a running sidecar is doing: what is wrong, its credentials and its routes.

    The same as the status page at `admin`. Press q to leave. What is no terminal gets one plain
    look, as with --once. No token and no secret is shown.
    """
    from proxy.cli.panel.watching import Watching  # noqa: PLC0415 - help needs none of these
    from proxy.clock import SystemClock  # noqa: PLC0415

    watching = Watching(_sidecar(config, address), SystemClock())
    pause = max(interval, LEAST)
    if as_json:
        return _print_json(watching, pause, once=once)
    from rich.console import Console  # noqa: PLC0415 - programs that want JSON need none

    console = Console(highlight=False, emoji=False, soft_wrap=False)
    if once or not console.is_terminal:
        return _print_once(watching, pause, console)
    return _show(watching, pause, console)


def _sidecar(config: str | None, address: str | None) -> RunningSidecar:
    from proxy.client.running import NobodyThereError, RunningSidecar  # noqa: PLC0415 - see top

    if address is not None:
        return RunningSidecar(_place(address), patience=PATIENCE)
    from proxy.cli.edge import warn  # noqa: PLC0415
    from proxy.runtime.lending_out import Lending  # noqa: PLC0415

    sidecar = Lending(find_config(config), os.environ, warn).sidecar()
    if sidecar is None:
        raise NobodyThereError("no sidecar runs with this configuration; see token-sidecar run")
    return sidecar


PATIENCE = 5.0
"""Seconds that an answer may take."""


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise click.BadParameter("it wants HOST:PORT", param_hint="--address")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _print_json(watching: Watching, pause: float, *, once: bool) -> int:
    watching.look()
    while True:
        time.sleep(pause)
        watching.look()
        click.echo(json.dumps(watching.said(), separators=(",", ":")))
        sys.stdout.flush()
        if once:
            return 0


def _print_once(watching: Watching, pause: float, console: Console) -> int:
    watching.look()
    time.sleep(pause)
    watching.look()
    if not console.is_terminal:
        console = type(console)(highlight=False, emoji=False, width=WIDE, no_color=True)
    console.print(_drawn(watching, console, whole=True))
    return 0


WIDE = 160
"""Columns where nobody says how many there are."""


def _show(watching: Watching, pause: float, console: Console) -> int:
    from proxy.cli.panel.screen import Screen  # noqa: PLC0415 - see top

    watching.look()
    screen = Screen(console, sys.stdin)
    with screen.taken():
        due = time.monotonic()
        while True:
            if time.monotonic() >= due:
                watching.look()
                due = time.monotonic() + pause
            screen.draw(_drawn(watching, console))
            if not screen.wait(min(1.0, due - time.monotonic())):
                return 0


def _drawn(watching: Watching, console: Console, *, whole: bool = False) -> RenderableType:
    from proxy.cli.panel.drawing import draw  # noqa: PLC0415 - see top
    from proxy.cli.panel.view import View  # noqa: PLC0415
    from proxy.clock import SystemClock  # noqa: PLC0415

    now = SystemClock().now()
    return draw(
        View(
            watching.status or {},
            watching.lately,
            now.wall,
            width=console.size.width,
            room=None if whole else console.size.height,
            aged=0.0 if watching.lost else now.monotonic - watching.told.monotonic,
            lost=None if watching.lost is None else watching.lost.wall,
            ascii=console.options.ascii_only,
        )
    )
