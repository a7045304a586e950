"""``token-sidecar status``: how the credentials are doing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Examples:
  token-sidecar status
  token-sidecar status api --json | jq .credentials.api.expires_in_seconds

\b
Exit codes: 0 told, 1 the store can't be used, 2 the configuration is not right."""
)
@click.argument("name", required=False)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(name: str | None, config: str | None, as_json: bool) -> int:
    """Tell how all credentials are doing, or the credential NAME; no token is printed.

    A sidecar that runs with this configuration knows most: what comes next, what went wrong.
    Without one, what the store shows. Nothing is renewed.
    """
    from proxy.cli.edge import warn  # noqa: PLC0415 - help needs none of these
    from proxy.errors import UnlendableError  # noqa: PLC0415
    from proxy.runtime.lending_out import Lending, no_such  # noqa: PLC0415
    from proxy.runtime.looking import look  # noqa: PLC0415

    lending = Lending(find_config(config), os.environ, warn)
    if name is not None and name not in lending.index.credentials:
        raise UnlendableError(no_such(name, lending.index.credentials))
    seen = look(lending, os.environ, warn)
    told = {one: said for one, said in seen.credentials.items() if name in {None, one}}
    if as_json:
        click.echo(json.dumps({"running": seen.running, "credentials": told}, indent=2))
        return 0
    if not seen.running:
        click.echo("no sidecar runs with this configuration; the store shows:", err=True)
    for one, said in told.items():
        click.echo(f"{one}: {', '.join(_described(said))}")
    return 0


def _described(said: Mapping[str, Any]) -> Iterator[str]:
    yield str(said["state"])
    if said.get("field"):
        left = said.get("expires_in_seconds")
        yield str(said["field"])
        yield "does not expire" if left is None else f"{left:.0f} s left"
        yield f"generation {said['generation']}"
    if said.get("next_renewal_in_seconds") is not None:
        yield f"next try in {said['next_renewal_in_seconds']:.0f} s"
    if said.get("last_error"):
        error = said["last_error"]
        yield f"last error at {error['at']}: {error['message']}"
