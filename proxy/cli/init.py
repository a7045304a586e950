"""``token-sidecar init``: a first configuration from what somebody already has."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

if TYPE_CHECKING:
    from proxy.draft.asking import Asker
    from proxy.draft.draft import Draft
    from proxy.draft.importing import Origin
    from proxy.draft.keeping import Keeper
    from proxy.draft.writing import Written

FILE: Final = "token-sidecar.yaml"
"""Where the other commands look for it."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@click.command(
    epilog="""\b
Examples:
  token-sidecar init
  token-sidecar init --preset wallaroo --set prefix=magical-rhino-5555 --set suffix=wallaroo.dev
  token-sidecar init --credentials-file dai-client.csv --upstream https://dai.example.com/
  token-sidecar init --curl request.txt --secrets keyring
  token-sidecar init --issuer https://login.example.com/realms/main --set grant=device_code
  token-sidecar init --envoy envoy.yaml --secret client_secret=file:/run/secrets/client
  token-sidecar init --oauth2-proxy oauth2-proxy.cfg

\b
Exit codes: 0 written, 2 something is missing, wrong, or there already,
4 the issuer is unreachable (--offline does not ask it)."""
)
@click.option(
    "--config",
    "-c",
    metavar="FILE",
    default=FILE,
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option("--preset", metavar="NAME", help="Start from a vendor's settings.")
@click.option("--credentials-file", metavar="FILE", help="Start from Eggplant's .csv or .ini.")
@click.option("--curl", metavar="FILE", help="Start from curl commands; - reads them from stdin.")
@click.option("--issuer", metavar="URL", help="Start from an issuer, and ask it what it offers.")
@click.option("--offline", is_flag=True, help="Do not ask the issuer.")
@click.option("--envoy", metavar="FILE", help="Start from Envoy's credential_injector.")
@click.option(
    "--oauth2-proxy",
    metavar="FILE",
    help="Start from oauth2-proxy's flags, variables or file; - reads stdin.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of the credential. May be repeated.",
)
@click.option(
    "--secret",
    "places",
    multiple=True,
    metavar="KEY=PLACE",
    help="Where a secret is: env:NAME, file:PATH or keyring:SERVICE/NAME.",
)
@click.option(
    "--secrets",
    "kind",
    type=click.Choice(["file", "keyring", "env"]),
    default="file",
    show_default=True,
    help="Where secrets that are asked for, or imported, are kept.",
)
@click.option("--upstream", metavar="URL", help="The API's address.")
@click.option("--name", metavar="NAME", help="The credential's name; default the preset's, or api.")
def init(
    *,
    config: str,
    force: bool,
    settings: tuple[str, ...],
    places: tuple[str, ...],
    kind: Literal["file", "keyring", "env"],
    upstream: str | None,
    name: str | None,
    **origin: str | bool | None,
) -> None:
    """Write a first configuration.

    What is missing is asked for. Secrets go to files that only you can read, to the keyring, or
    stay in the environment; never into the configuration. It is checked before it is written, and
    nothing that is there already is replaced.
    """  # fmt: skip
    from proxy.draft.importing import Origin  # noqa: PLC0415 - only now is it wanted
    from proxy.draft.keeping import Keeper  # noqa: PLC0415
    from proxy.draft.recipes import complete  # noqa: PLC0415

    asker = _asker()
    draft = _started(Origin(**origin), settings, places, upstream, asker)  # type: ignore[arg-type]  # click's names are Origin's
    keeper = Keeper(kind, Path(config), _named(name, draft), force)
    draft = complete(draft, asker, keeper.variable if kind == "env" else None)
    written = _written(draft, keeper)
    for line in (*draft.notes, *written.notes, *written.warnings):
        click.echo(line, err=True)
    named = "" if config == FILE else f" --config {shlex.quote(config)}"
    click.echo(f"{written.path}: written and right; next: token-sidecar check --online{named}")


def _written(draft: Draft, keeper: Keeper) -> Written:
    from proxy.draft.writing import write  # noqa: PLC0415 - only now is it wanted
    from proxy.errors import ConfigurationError  # noqa: PLC0415

    try:
        return write(draft, keeper, os.environ)
    except ConfigurationError:
        click.echo(f"{keeper.config} is not written; in it this would be wrong:", err=True)
        raise


def _started(
    origin: Origin, settings: tuple[str, ...], places: tuple[str, ...],
    upstream: str | None, asker: Asker,
) -> Draft:  # fmt: skip
    """What is known before anything is asked."""
    from dataclasses import replace  # noqa: PLC0415 - only now is it wanted

    from proxy.draft.draft import Draft, placing, setting  # noqa: PLC0415
    from proxy.draft.importing import draft_of, menu  # noqa: PLC0415

    said = Draft()
    for one in settings:
        said = setting(said, one)
    if origin.given:
        grant = str(said.keys["grant"]) if "grant" in said.keys else None
        draft = draft_of(origin, grant, asker, os.environ, _standard_input)
    else:
        draft = Draft() if said.keys else menu(asker, _pasted, os.environ)
    for one in settings:
        draft = setting(draft, one)
    for one in places:
        draft = placing(draft, one)
    return replace(draft, upstream=upstream or draft.upstream)


def _named(name: str | None, draft: Draft) -> str:
    from proxy.errors import DraftError  # noqa: PLC0415 - only now is it wanted

    chosen = name or str(draft.keys.get("preset", "api"))
    if not _NAME.fullmatch(chosen):
        raise DraftError("--name is made of at most 64 letters, digits, `.`, `-` and `_`")
    return chosen


def _asker() -> Asker:
    from proxy.cli.questions import Questions  # noqa: PLC0415 - only now is it wanted
    from proxy.draft.asking import Nobody  # noqa: PLC0415

    there = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    return Questions() if there else Nobody()


def _standard_input(most: int) -> str:
    return "" if sys.stdin is None else sys.stdin.read(most)


def _pasted() -> str:
    """The lines up to an empty one, or to the end."""
    click.echo("Paste the curl commands, then an empty line:", err=True)
    return "".join(itertools.takewhile(str.strip, sys.stdin))
