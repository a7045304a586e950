"""``token-sidecar demo``: shows the sidecar at work, on this machine alone."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  token-sidecar demo
  token-sidecar demo --keep      # leave it running, to try it with curl"""
)
@click.option("--keep", is_flag=True, help="Leave everything running afterwards, with its URLs.")
def demo(keep: bool) -> int:
    """Start a provider, an API and a program that knows no tokens, with the sidecar between.

    Needs the extra: pip install 'token-sidecar[demo]'.
    """
    try:
        from proxy.demo import main  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the demo needs {error.name}; install it: pip install 'token-sidecar[demo]'"
        ) from None
    return main(keep=keep)
