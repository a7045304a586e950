"""``token-sidecar check``: everything that would keep ``run`` from working, before it runs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from proxy.cli.options import config_option, find_config
from proxy.cli.verdict import Verdict


@click.command(
    epilog="""\b
Examples:
  token-sidecar check
  token-sidecar check --config token-sidecar.yaml --online
  token-sidecar check --json | jq .problems

\b
Exit codes: 0 all is right, 2 the configuration is not, 3 a credential was refused,
4 a provider is unreachable."""
)
@config_option
@click.option(
    "--online", is_flag=True, help="Also get a token for each credential, and tell of it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(config: str | None, online: bool, as_json: bool) -> int:
    """Check the configuration file and all that it names.

    Every mistake is printed as file:line:column. Environment variables, secret files and
    certificates are looked at; nothing is connected to without --online. A token itself is never
    printed, and a person's login is looked up in the store, not used.
    """
    verdict = judge(find_config(config), online=online)
    for line in verdict.complaints():
        click.echo(line, err=True)
    for line in [verdict.as_json()] if as_json else verdict.praise():
        click.echo(line)
    return verdict.code


def judge(path: Path, *, online: bool) -> Verdict:
    """Check ``path``, and with ``online`` ask its providers too."""
    from proxy.config.load import load  # noqa: PLC0415 - only now is it wanted
    from proxy.errors import ConfigurationError  # noqa: PLC0415
    from proxy.runtime.preflight import inspect  # noqa: PLC0415
    from proxy.runtime.tls import TlsContexts  # noqa: PLC0415

    verdict, contexts = Verdict(str(path)), TlsContexts()
    try:
        config = load(path, os.environ)
    except ConfigurationError as error:
        return verdict.mistaken(error.problems)
    found = inspect(config, os.environ, contexts)
    verdict = verdict.mistaken(found.problems).warned(found.warnings)
    if found.problems:
        return verdict
    verdict = verdict.counted(len(config.credentials), len(config.routes))
    if not online:
        return verdict
    from proxy.runtime.online import ask_all  # noqa: PLC0415

    return verdict.asked(asyncio.run(ask_all(config, os.environ, contexts, _warn)))


def _warn(message: str) -> None:
    click.echo(f"token-sidecar: warning: {message}", err=True)
