"""``token-sidecar refresh``: renews a token before its time."""

from __future__ import annotations

import json
import os

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Example:
  token-sidecar refresh api

\b
Exit codes: 0 renewed, 1 the store can't be used, 2 the configuration or a secret is not right,
3 the provider refuses, 4 it is unreachable."""
)
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def refresh(name: str, config: str | None, as_json: bool) -> int:
    """Get a new token for the credential NAME, whether the old one is still good or not.

    The sidecar that runs with this configuration does it; without one, it is done in the store.
    The provider is asked even where it refused before. No token is printed.
    """
    from proxy.cli.edge import warn  # noqa: PLC0415 - help needs none of these
    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415
    from proxy.runtime.lending_out import Lending  # noqa: PLC0415

    forbid_dumps()
    found = Lending(find_config(config), os.environ, warn).refreshed(name)
    left = found.expires_in
    if as_json:
        said = {
            "credential": name,
            "field": found.field,
            "expires_in": None if left is None else round(left, 3),
            "generation": found.generation,
        }
        click.echo(json.dumps(said, indent=2))
    else:
        lives = "does not expire" if left is None else f"{left:.0f} s"
        click.echo(f"{name}: renewed; {found.field}, {lives}, generation {found.generation}")
    return 0
