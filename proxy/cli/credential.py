"""``token-sidecar credential``: what kubectl, git and docker run to be given a token."""

from __future__ import annotations

import click

from proxy.cli.options import config_option


@click.command(
    epilog="""\b
Examples:
  token-sidecar credential kubectl api
  git config --global credential.https://git.example.com.helper \\
    '!token-sidecar credential git api'
  exec token-sidecar credential docker api --url https://registry.example.com "$@"
    # a script docker-credential-example on the PATH, named in ~/.docker/config.json

\b
Exit codes: 0 answered, 1 not asked in the protocol's words, 2 the configuration or a secret is not
right, 3 the provider refuses, 4 it is unreachable."""
)
@click.argument("protocol", type=click.Choice(["kubectl", "git", "docker"]))
@click.argument("name")
@click.argument("operation", required=False)
@config_option
@click.option("--username", default="oauth2", show_default=True, help="What goes beside the token.")
@click.option(
    "--url",
    "urls",
    multiple=True,
    metavar="URL",
    help="A server that may have the token, by its host and port. docker needs at least one;"
    " git answers for all without, so put the helper under the server's URL.",
)
def credential(
    protocol: str,
    name: str,
    operation: str | None,
    config: str | None,
    username: str,
    urls: tuple[str, ...],
) -> int:
    """Answer kubectl, git or docker, each in its own protocol, with the token of NAME.

    They run it themselves, with the OPERATION as the last word, and talk to it over stdin and
    stdout. The token is the one that `token` prints; one that git says was refused is renewed.
    """
    from proxy.cli.helper.protocols import serve  # noqa: PLC0415 - help needs none of it
    from proxy.cli.helper.wanted import Wanted  # noqa: PLC0415

    return serve(Wanted(protocol, name, operation, config, username, urls))
