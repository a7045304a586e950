"""``token-sidecar token``: prints a live token, for programs that send their own requests."""

from __future__ import annotations

import click

from proxy.cli.options import config_option, min_ttl_option


@click.command(
    epilog="""\b
Examples:
  token-sidecar token api
  token-sidecar token api --header | curl --header @- https://api.example.com/
  token-sidecar token api --json --min-ttl 5m

\b
Exit codes: 0 printed, 1 the store can't be used, 2 the configuration or a secret is not right,
3 the provider refuses, 4 it is unreachable."""
)
@click.argument("name")
@config_option
@min_ttl_option
@click.option(
    "--header",
    "form",
    flag_value="header",
    help="Print the header field: Authorization: Bearer …, for a session Cookie: …",
)
@click.option("--json", "form", flag_value="json", help="Print the token and what is known of it.")
def token(name: str, config: str | None, min_ttl: float, form: str | None) -> int:
    """Print a live token of the credential NAME, and nothing else, on stdout.

    A sidecar that runs with this configuration is asked first. Else the store has it, or it is
    renewed there, once for all who ask together. With `store: memory` and no sidecar a token is
    got by itself and kept nowhere; that is for grants that need neither a person nor a refresh
    token. Warnings go to stderr.

    It prints to a terminal too. What is printed is a secret: give it to a program through a pipe,
    or use `exec`; a command's arguments are seen by every user of this machine.
    """
    from proxy.cli.giving import Wanted, give  # noqa: PLC0415 - help needs none of it

    return give(Wanted(name, config, min_ttl, form or "token"))
