"""``token-sidecar exec``: runs a program with live tokens, or a sidecar of its own, at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from proxy.cli.options import config_option, find_config, min_ttl_option

COMMAND: Final = "the program and its arguments"


class BeforeAndAfter(click.Command):
    """Leaves all that follows ``--`` untouched."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before ``--``; keep what stands after it."""
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[COMMAND] = args[place + 1 :]
        return super().parse_args(ctx, args[:place])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """For the help."""
        return [*super().collect_usage_pieces(ctx), "-- PROGRAM [ARGUMENT]..."]


@click.command(
    cls=BeforeAndAfter,
    epilog="""\b
Examples:
  token-sidecar exec api -- sh -c 'echo "$TOKEN_SIDECAR_TOKEN" | wc -c'
  token-sidecar exec openai --env OPENAI_API_KEY -- python chat.py
  token-sidecar exec hub=HF_TOKEN data=DATA_TOKEN -- ./train.sh
  token-sidecar exec --proxy api -- python legacy.py

\b
Exit codes: the program's own, 128+n if signal n ended it, 127 if it is not there, 126 if it can't
be run. Before that: 1 the store can't be used, 2 the command line, the configuration or a secret
is not right, 3 the provider refuses, 4 it is unreachable.""",
)
@click.argument("names", nargs=-1, metavar="NAME[=VARIABLE]...")
@config_option
@min_ttl_option
@click.option("--env", "variable", metavar="VARIABLE", help="Where the token goes; for one NAME.")
@click.option(
    "--proxy",
    "private",
    is_flag=True,
    help="Hand over no token, but a sidecar of its own that puts it on requests.",
)
@click.pass_context
def exec(  # noqa: A001 - the command's name
    context: click.Context,
    names: tuple[str, ...],
    config: str | None,
    min_ttl: float,
    variable: str | None,
    private: bool,
) -> int:
    """Run a program with live tokens of the credentials NAME in its environment.

    One token is in TOKEN_SIDECAR_TOKEN and in TOKEN_NAME (for my-api: TOKEN_MY_API); with several
    names each is in its TOKEN_NAME. NAME=VARIABLE and --env VARIABLE choose another place instead.
    Tokens come as with `token`, are never among the arguments, and are not renewed while the
    program runs. It takes this process's place: terminal, signals and exit code are its own. Core
    dumps are off for it, since its environment would be in them.

    With --proxy the program gets no token. A sidecar of its own serves the routes of these
    credentials on a free port of 127.0.0.1, renews tokens as long as the program runs, and lets in
    only who has its random key. TOKEN_SIDECAR_URL holds address and key, for programs that take a
    user and a password from a URL; TOKEN_SIDECAR_ORIGIN and TOKEN_SIDECAR_KEY hold them apart, for
    those that want a base URL and an API key; TOKEN_SIDECAR_URL_NAME leads to the route of NAME.
    """
    from proxy.runtime.handing import HandingError, handed  # noqa: PLC0415 - help needs none of these

    command = context.meta[COMMAND]
    if not command:
        raise click.UsageError("say what to run: NAME -- PROGRAM [ARGUMENT]...")
    try:
        targets = handed(names, variable)
    except HandingError as error:
        raise click.UsageError(str(error)) from None
    path = find_config(config)
    if private:
        if variable is not None or any("=" in one for one in names):
            raise click.UsageError("with --proxy no token goes into a variable")
        return _beside_a_sidecar(path, names, command)
    return _instead_of_us(path, targets, min_ttl, command)


def _instead_of_us(path: Path, targets: dict[str, str], min_ttl: float, command: list[str]) -> int:
    from proxy.cli.edge import warn  # noqa: PLC0415
    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415
    from proxy.runtime.lending_out import Lending  # noqa: PLC0415
    from proxy.runtime.replacing import become  # noqa: PLC0415

    forbid_dumps()
    lending = Lending(path, os.environ, warn)
    tokens = {name: lending.token(name, min_ttl).token for name in dict.fromkeys(targets.values())}
    further = {variable: tokens[name].reveal() for variable, name in targets.items()}
    return become(command, {**os.environ, **further})


def _beside_a_sidecar(path: Path, names: tuple[str, ...], command: list[str]) -> int:
    from proxy.runtime.hardening import forbid_dumps  # noqa: PLC0415
    from proxy.runtime.private import beside  # noqa: PLC0415

    forbid_dumps()
    return beside(path, names, command, os.environ)
