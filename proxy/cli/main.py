"""``token-sidecar``: the commands, each imported only when it is called.

Those that run every few seconds are recognized before this is imported: see ``quick``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Final

import click

from proxy.cli import edge
from proxy.version import VERSION

COMMANDS: Final = (
    "init",
    "run",
    "check",
    "doctor",
    "login",
    "logout",
    "token",
    "exec",
    "list",
    "status",
    "top",
    "refresh",
    "forget",
    "reload",
    "diff",
    "credential",
    "schema",
    "healthcheck",
    "demo",
    "version",
)


class Commands(click.Group):
    """Finds ``NAME`` in ``proxy.cli.NAME``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"proxy.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - COMMANDS and modules go together
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  token-sidecar check --config token-sidecar.yaml
  token-sidecar run --config token-sidecar.yaml
  curl http://127.0.0.1:8080/
  token-sidecar token api --header | curl --header @- https://api.example.com/

\b
Exit codes: 0 done, 1 runtime failure, 2 configuration, 3 credential refused,
4 provider unreachable.""",
)
@click.version_option(VERSION, message="token-sidecar %(version)s")
def commands() -> None:
    """Forward requests with the right credential on them.

    The sidecar holds the client secrets, renews the tokens and puts a live one on every request
    that a program on this machine sends through it.
    """


def outcome(arguments: Sequence[str]) -> int:
    """Run a command line; its exit code."""
    return edge.outcome(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> object:
    try:
        return commands.main(list(arguments), prog_name="token-sidecar", standalone_mode=False)
    except click.Abort:
        return edge.INTERRUPTED
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return 2
