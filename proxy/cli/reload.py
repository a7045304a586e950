"""``token-sidecar reload``: has the running sidecar read its configuration again."""

from __future__ import annotations

import json
import os

import click

from proxy.cli.options import config_option, find_config


@click.command(
    epilog="""\b
Examples:
  token-sidecar reload
  token-sidecar reload --config /etc/token-sidecar/config.yaml
  token-sidecar reload --json | jq .credentials.restarted

\b
Exit codes: 0 the file is at work, 1 no sidecar runs with it or it does not answer, 2 the file was
refused, and the old configuration stays."""
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def reload(config: str | None, as_json: bool) -> int:
    """Have the sidecar that runs with this configuration read it again, and say what changed.

    It does so by itself within two seconds of a change of the file; this waits for the outcome.
    A mistake is printed with its place in the file. Credentials that did not change keep their
    tokens, requests under way end as they began.
    """
    from proxy.cli.healthcheck import places  # noqa: PLC0415 - help needs none of these
    from proxy.client import reloads  # noqa: PLC0415

    path = find_config(config)
    told = reloads.reload(places(path, os.environ))
    if told is None:
        click.echo(f"no sidecar runs with {path}", err=True)
        return 1
    return show(told, as_json, "nothing changed: what runs is what the file says")


def show(told: object, as_json: bool, unchanged: str) -> int:
    """Print what a sidecar said; the exit code: 0, or 2 where it refused the configuration."""
    from proxy.client.reloads import Told  # noqa: PLC0415 - help needs none of these
    from proxy.runtime.differences import lines  # noqa: PLC0415

    assert isinstance(told, Told)  # noqa: S101 - typed loosely for the sake of the import
    if as_json:
        click.echo(json.dumps(told.said, indent=2))
    elif told.refused:
        for problem in told.problems():
            click.echo(problem, err=True)
        click.echo(str(told.said.get("detail", "")), err=True)
    else:
        for line in tuple(lines(told.said)) or (unchanged,):
            click.echo(line)
    return 2 if told.refused else 0
