"""``token-sidecar run``: the sidecar itself, in the foreground, until it is told to stop."""

from __future__ import annotations

import os
import sys

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Examples:
  token-sidecar run
  token-sidecar run --config /etc/token-sidecar/config.yaml
  kill -HUP PID      # read the configuration again
  kill -TERM PID     # finish what runs, then end"""
)
@config_option
def run(config: str | None) -> int:
    """Run the sidecar.

    Listens at once; requests that come before the first token wait for it. A provider that is
    down does not stop it. Events and the access log go to stderr.
    """
    from proxy.runtime.process import serve  # noqa: PLC0415 - the other commands do not need it

    return serve(find_config(config), os.environ, sys.stderr)
