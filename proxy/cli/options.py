"""What several commands share: how they are told the configuration file, and find it."""

from __future__ import annotations

import os
from pathlib import Path

import click

config_option = click.option(
    "--config",
    "-c",
    metavar="FILE",
    help="The configuration file. Else $TOKEN_SIDECAR_CONFIG, ./token-sidecar.yaml, "
    "$XDG_CONFIG_HOME/token-sidecar/config.yaml.",
)


def seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """An option's duration."""
    from proxy.config.scalars import UnfitError, duration  # noqa: PLC0415 - only where one is given

    try:
        return duration(value)
    except UnfitError as error:
        raise click.BadParameter(str(error)) from None


min_ttl_option = click.option(
    "--min-ttl",
    metavar="DURATION",
    default="0",
    callback=seconds,
    help="Renew a token that has less than this left, such as 5m, where new ones live longer.",
)


def find_config(explicit: str | None) -> Path:
    """The configuration file's path, absolute.

    Raises:
        ConfigurationError: there is none in any of the places.
    """
    from proxy.config.find import find  # noqa: PLC0415 - only where a file is wanted

    return find(explicit, os.environ, Path.cwd())
