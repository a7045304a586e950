"""``token-sidecar forget``: drops what is kept for a credential."""

from __future__ import annotations

import json
import os

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Example:
  token-sidecar forget api

\b
Exit codes: 0 done, 1 the store can't be used, 2 the configuration is not right, 4 the running
sidecar can't do it now."""
)
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def forget(name: str, config: str | None, as_json: bool) -> int:
    """Drop the token of the credential NAME, and the refresh token, from store and memory.

    Every sidecar that shares the store drops them too, one with tokens in memory if it runs with
    this configuration. One that runs gets another token at once, by the full grant, unless that
    takes a person. Nothing ends at the provider: for that there is `logout`.
    """
    from proxy.cli.edge import warn  # noqa: PLC0415 - help needs none of these
    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415
    from proxy.runtime.lending_out import Lending  # noqa: PLC0415

    forbid_dumps()
    kept = Lending(find_config(config), os.environ, warn).forgotten(name)
    if as_json:
        click.echo(json.dumps({"credential": name, "kept": kept}, indent=2))
    else:
        click.echo(f"{name}: {'forgotten' if kept else 'nothing was kept'}")
    return 0
