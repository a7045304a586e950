"""``token-sidecar doctor``: what is wrong, step by step, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.options import config_option, find_config

if TYPE_CHECKING:
    from proxy.cli.findings import Printer
    from proxy.config.model import Config
    from proxy.doctor.finding import Finding


@click.command(
    epilog="""\b
Examples:
  token-sidecar doctor
  token-sidecar doctor wallaroo-inference
  token-sidecar doctor --json | jq '.findings[] | select(.state == "bad")'

\b
Exit codes: 0 nothing is wrong, 2 the configuration or a secret is, 3 a provider or an API refuses,
4 one is unreachable."""
)
@click.argument("name", required=False)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def doctor(name: str | None, config: str | None, as_json: bool) -> int:
    """Find out why it does not work: for all credentials, or for NAME and its routes.

    Looks at the file, the secrets, names, TCP, TLS, clocks, the provider's answer to one token
    request, and the API's answer to that token. A password is sent once, since accounts lock; a
    login that is stored is used and kept; a person's login is never begun. No secret and no token
    is ever printed.
    """
    from proxy.cli import findings  # noqa: PLC0415 - only now is it wanted

    path = find_config(config)
    printer = findings.Printer(None if as_json else sys.stdout, os.environ)
    found = _examined(path, name, printer)
    if as_json:
        click.echo(findings.as_json(found))
    else:
        printer.conclude(found)
    return findings.code(found)


def _examined(path: Path, name: str | None, printer: Printer) -> list[Finding]:
    from proxy.config.load import load  # noqa: PLC0415
    from proxy.doctor.finding import Kind, bad  # noqa: PLC0415
    from proxy.errors import ConfigurationError  # noqa: PLC0415

    try:
        config = load(path, os.environ)
    except ConfigurationError as error:
        return _shown(
            printer,
            [
                bad("", "configuration", Kind.CONFIGURATION, "file", str(one))
                for one in error.problems
            ],
        )
    if name is not None and name not in config.credentials:
        known = ", ".join(config.credentials) or "none"
        raise click.UsageError(f"there is no credential {name}; known: {known}")
    return asyncio.run(_examine(config, name, printer))


async def _examine(config: Config, name: str | None, printer: Printer) -> list[Finding]:
    from proxy.clock import SystemClock  # noqa: PLC0415
    from proxy.doctor.examination import examine  # noqa: PLC0415

    found = []
    async for one in examine(config, os.environ, SystemClock(), name):
        printer.show(one)
        found.append(one)
    return found


def _shown(printer: Printer, found: Sequence[Finding]) -> list[Finding]:
    for one in found:
        printer.show(one)
    return list(found)
