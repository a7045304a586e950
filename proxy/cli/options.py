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


def find_config(explicit: str | None) -> Path:
    """The configuration file's path, absolute.

    Raises:
        ConfigurationError: there is none in any of the places.
    """
    from proxy.config.find import find  # noqa: PLC0415 - only where a file is wanted

    return find(explicit, os.environ, Path.cwd())
