"""``token-sidecar healthcheck``: asks the running sidecar, for images without a shell or curl.

A probe runs every few seconds and should cost little.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

from proxy.cli.options import config_option, find_config
from proxy.client.own_socket import DEFAULT_STATE_DIR, own_socket
from proxy.client.wire import ask

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
            reply = ask(place, "/readyz" if ready else "/healthz", patience=PATIENCE)
        except OSError:
            continue
        click.echo(reply.body.decode("utf-8", "replace").strip())
        return 0 if reply.status == OK else 1
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
