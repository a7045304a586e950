"""``token-sidecar schema``: the configuration file's JSON Schema, for editors."""

from __future__ import annotations

import json

import click


@click.command(
    epilog="""\b
Examples:
  token-sidecar schema > token-sidecar.schema.json
  # then, as the configuration file's first line, for editors with a YAML language server:
  # yaml-language-server: $schema=token-sidecar.schema.json"""
)
def schema() -> None:
    """Print the JSON Schema of the configuration file."""
    from proxy.config.describe import json_schema  # noqa: PLC0415 - the other commands do not need it

    click.echo(json.dumps(json_schema(), indent=2))
