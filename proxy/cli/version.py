"""``token-sidecar version``."""

from __future__ import annotations

import platform

import click

from proxy.version import VERSION


@click.command(
    epilog="""\b
Example:
  token-sidecar version"""
)
def version() -> None:
    """Print the version, and Python's."""
    click.echo(f"token-sidecar {VERSION} (Python {platform.python_version()})")
