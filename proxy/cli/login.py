"""``token-sidecar login``: a person logs in once, by browser or by a code on another device."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from proxy.cli.options import config_option, find_config, seconds
from proxy.config.model import BY_PERSON, Credential, Grant
from proxy.errors import SidecarError, TokenRequestError

if TYPE_CHECKING:
    from proxy.runtime.login import LoggedIn


@click.command(
    epilog="""\b
Examples:
  token-sidecar login seldon
  token-sidecar login seldon --no-browser     # shows the address, to open it elsewhere
  token-sidecar login seldon --paste          # the answer is brought here by hand

\b
Exit codes: 0 logged in, 1 not completed, 2 the configuration is not right, 3 refused or denied,
4 the provider is unreachable."""
)
@click.argument("name")
@config_option
@click.option("--no-browser", is_flag=True, help="Show the address and open no browser.")
@click.option(
    "--paste", is_flag=True, help="Read the address that the browser ended at, or the code."
)
@click.option(
    "--timeout",
    default="5m",
    show_default=True,
    metavar="DURATION",
    callback=seconds,
    help="How long the person may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def login(
    name: str, config: str | None, no_browser: bool, paste: bool, timeout: float, as_json: bool
) -> int:
    """Log in for the credential NAME, and keep what comes in the store.

    For grants authorization_code and device_code. A sidecar that runs takes it up by itself. What
    was kept before stays until the login is complete.
    """
    try:
        done = _logged_in(name, config, no_browser=no_browser, paste=paste, timeout=timeout)
    except KeyboardInterrupt:
        click.echo("the login was cancelled; what was kept before is as it was", err=True)
        raise
    except SidecarError as error:
        if as_json:
            click.echo(json.dumps(_failure(error), indent=2))
        raise
    if isinstance(done, Credential):
        line = f"{name}: no login is needed: {_unneeded(done)}"
        click.echo(json.dumps({"ok": True, "message": line}, indent=2) if as_json else line)
    else:
        _tell(name, done, as_json=as_json)
    return 0


def _logged_in(
    name: str, config: str | None, *, no_browser: bool, paste: bool, timeout: float
) -> LoggedIn | Credential:
    """What came of the login; the credential itself where none is needed."""
    from proxy.cli.naming import named  # noqa: PLC0415 - help needs none of these
    from proxy.cli.terminal import Terminal  # noqa: PLC0415
    from proxy.config.load import load  # noqa: PLC0415
    from proxy.runtime.login import Manner, log_in  # noqa: PLC0415

    loaded = load(find_config(config), os.environ)
    credential = named(loaded.credentials, name)
    if credential.grant not in BY_PERSON:
        return credential
    by_hand = paste or credential.paste
    person = Terminal(os.environ, sys.stdin, browser=not (no_browser or paste), paste=by_hand)
    return asyncio.run(log_in(loaded, name, person, Manner(paste, timeout), os.environ))


def _unneeded(credential: Credential) -> str:
    if credential.grant is Grant.REFRESH_TOKEN:
        return "its grant begins with the refresh_token that is configured"
    return f"the sidecar gets its tokens by itself (grant {credential.grant})"


def _tell(name: str, done: LoggedIn, *, as_json: bool) -> None:
    from proxy.cli.verdict import described  # noqa: PLC0415

    for warning in done.obtained.warnings:
        click.echo(f"{name}: warning: {warning}", err=True)
    if not done.renews:
        click.echo(
            f"{name}: warning: the provider gave nothing to renew the token with, so the next"
            " login is due when it ends; many providers want scope: offline_access",
            err=True,
        )
    if as_json:
        said = {"ok": True, **dataclasses.asdict(done.obtained), "renews": done.renews}
        click.echo(json.dumps(said, indent=2))
        return
    renews = "renews by itself" if done.renews else "can't be renewed"
    click.echo(f"{name}: logged in; {', '.join([*described(done.obtained), renews])}")


def _failure(error: SidecarError) -> dict[str, Any]:
    reason = {"reason": error.reason} if isinstance(error, TokenRequestError) else {}
    return {"ok": False, "error": str(error), **reason}
