"""``token-sidecar list``: which credentials there are, and whether they have a token."""

from __future__ import annotations

import json
import os

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Examples:
  token-sidecar list
  token-sidecar list --json | jq -r '.[] | select(.state == "valid") | .name'

\b
Exit codes: 0 told, 1 the store can't be used, 2 the configuration is not right."""
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list(config: str | None, as_json: bool) -> int:  # noqa: A001 - the command's name
    """List the credentials: name, grant, and state.

    The state is the running sidecar's word; without one, what the store shows: valid, expired,
    empty (nothing yet), or not kept (nothing of it is in a store).
    """
    from proxy.cli.edge import warn  # noqa: PLC0415 - help needs none of these
    from proxy.runtime.lending_out import Lending  # noqa: PLC0415
    from proxy.runtime.looking import look  # noqa: PLC0415

    lending = Lending(find_config(config), os.environ, warn)
    states = look(lending, os.environ, warn).credentials
    rows = [
        (name, one.grant, str(states.get(name, {}).get("state", "not known to the sidecar")))
        for name, one in lending.index.credentials.items()
    ]
    if as_json:
        keys = ("name", "grant", "state")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
        return 0
    widths = [max(len(row[column]) for row in rows) for column in range(2)] if rows else [0, 0]
    for name, grant, state in rows:
        click.echo(f"{name:{widths[0]}}  {grant:{widths[1]}}  {state}")
    return 0
