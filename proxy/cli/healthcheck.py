"""``token-sidecar healthcheck``: asks the running sidecar, for images without a shell or curl.

Speaks just enough HTTP itself: a probe runs every few seconds and should cost little.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from proxy.cli.options import config_option, find_config
from proxy.runtime.own_socket import DEFAULT_STATE_DIR, own_socket

PATIENCE: Final = 5.0
"""Seconds that the answer may take."""

OK: Final = 200


@click.command(
    epilog="""\b
Examples:
  token-sidecar healthcheck
  token-sidecar healthcheck --ready --config /etc/token-sidecar/config.yaml

\b
In a Dockerfile:
  HEALTHCHECK CMD ["token-sidecar", "healthcheck"]"""
)
@config_option
@click.option(
    "--ready", is_flag=True, help="Also want every required credential to have had a token."
)
def healthcheck(config: str | None, ready: bool) -> int:
    """Ask the sidecar that runs with this configuration whether it is well.

    It is found by the configuration file's path. Exit code 0 if it is well, 1 if not.
    """
    path = find_config(config)
    for place in places(path, os.environ):
        try:
            status, said = ask(place, "/readyz" if ready else "/healthz")
        except OSError:
            continue
        click.echo(said.strip())
        return 0 if status == OK else 1
    click.echo(f"no sidecar runs with {path}", err=True)
    return 1


def places(path: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where its socket may be: the usual place; then where the configuration says."""
    home = Path(environ.get("HOME") or Path.home())
    usual = own_socket(path, environ, home / DEFAULT_STATE_DIR)
    yield usual
    from proxy.runtime.reading import read_config  # noqa: PLC0415 - seldom wanted

    told = own_socket(path, environ, read_config(path, environ).state_dir)
    if told != usual:
        yield told


def ask(place: Path, target: str) -> tuple[int, str]:
    """The status and the body of one GET over the Unix socket at ``place``.

    Raises:
        OSError: nobody answers there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(place))
        connection.sendall(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    try:
        return int(head.split(b" ", 2)[1]), body.decode()
    except (IndexError, ValueError):
        raise ConnectionError("the answer is not HTTP") from None
