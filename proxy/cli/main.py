"""``token-sidecar``: the commands, each imported only when it is called.

The edge: here, and only here, errors become exit codes and lines on stderr.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from proxy.cli.failure import exit_code, explain
from proxy.version import VERSION

COMMANDS: Final = (
    "init",
    "run",
    "check",
    "doctor",
    "login",
    "logout",
    "schema",
    "healthcheck",
    "demo",
    "version",
)

INTERRUPTED: Final = 130
"""What shells expect of a program ended by Ctrl-C."""


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
    """Run a command line; its exit code. Nothing escapes but what ends the interpreter."""
    try:
        code = commands.main(list(arguments), prog_name="token-sidecar", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has enough; the interpreter's own flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return 2
    except Exception as error:  # noqa: BLE001 - the edge of the program
        explain(error, sys.stderr, os.environ)
        return exit_code(error)
    return code if isinstance(code, int) else 0


def main() -> None:
    """The program."""
    sys.exit(outcome(sys.argv[1:]))


if __name__ == "__main__":
    main()
