"""``token-sidecar logout``: ends at the provider what a login left, and forgets it here."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import click

from proxy.cli.failure import token_request_code
from proxy.cli.options import config_option, find_config

if TYPE_CHECKING:
    from proxy.runtime.logout import LoggedOut


@click.command(
    epilog="""\b
Example:
  token-sidecar logout seldon

\b
Exit codes: 0 done, 2 the configuration is not right; forgotten here, but at the provider
3 refused, 4 unreachable."""
)
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def logout(name: str, config: str | None, as_json: bool) -> int:
    """Revoke the tokens that are kept for the credential NAME, and forget them.

    They are forgotten even where the provider can't be asked to end them (RFC 7009).
    """
    from proxy.cli.naming import named  # noqa: PLC0415 - help needs none of these
    from proxy.config.load import load  # noqa: PLC0415
    from proxy.runtime.logout import log_out  # noqa: PLC0415

    loaded = load(find_config(config), os.environ)
    named(loaded.credentials, name)
    done = asyncio.run(log_out(loaded, name, os.environ, lambda said: click.echo(said, err=True)))
    for line in _concerns(done):
        click.echo(f"{name}: {line}", err=True)
    click.echo(_json(done) if as_json else f"{name}: {_result(done)}")
    return 0 if done.failure is None else token_request_code(done.failure)


def _result(done: LoggedOut) -> str:
    if not done.kept:
        return "nothing was kept"
    if done.revoked:
        return f"logged out; revoked and forgotten: {', '.join(done.revoked)}"
    return "forgotten here"


def _concerns(done: LoggedOut) -> list[str]:
    if done.failure is not None:
        return [f"it may live on at the provider, which did not end it: {done.failure}"]
    if done.unsupported:
        return [
            "the provider names no place to revoke tokens (revocation_url): they end by themselves"
        ]
    return []


def _json(done: LoggedOut) -> str:
    said = {
        "ok": done.failure is None,
        "kept": done.kept,
        "revoked": list(done.revoked),
        "error": None if done.failure is None else str(done.failure),
    }
    return json.dumps(said, indent=2)
