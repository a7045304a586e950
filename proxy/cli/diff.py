"""``token-sidecar diff``: what another configuration would change, before it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli.options import config_option, find_config

if TYPE_CHECKING:
    from proxy.client.reloads import Told


@click.command(
    epilog="""\b
Examples:
  token-sidecar diff new.yaml
  token-sidecar diff new.yaml --config /etc/token-sidecar/config.yaml --exit-code
  git show main:sidecar.yaml | token-sidecar diff - --json | jq .credentials

\b
Exit codes: 0 told (with --exit-code: and nothing changes), 1 with --exit-code: something changes,
2 one of the configurations is not right."""
)
@click.argument("new", metavar="NEW")
@config_option
@click.option("--file", "by_file", is_flag=True, help="Compare with the file even if one runs.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changes, as git does.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def diff(new: str, config: str | None, by_file: bool, exit_code: bool, as_json: bool) -> int:
    """Tell what would change with the configuration NEW (- for stdin) in the present one's place.

    Compared is what the running sidecar works with; where none runs, the file. Told is which
    credentials keep their tokens and which begin anew, and why; which listeners open and close;
    which routes come, go and change; and what takes a restart. Paths in NEW count from the present
    file's directory. No value is printed, and nothing changes.
    """
    from proxy.cli.reload import show  # noqa: PLC0415 - help needs none of these

    path, (name, text) = find_config(config), _new(new)
    told = None if by_file else _running(path, name, text)
    if told is None:
        told = _by_file(path, name, text)
        if not by_file and not as_json:
            click.echo(f"no sidecar runs with it; compared with {path}:", err=True)
    code = show(told, as_json, "nothing would change")
    return 1 if exit_code and not code and told.said["changed"] else code


def _new(new: str) -> tuple[str, str]:
    """What messages call it, and its text.

    Raises:
        ConfigurationError: there is no text there.
    """
    if new == "-":
        return "<stdin>", sys.stdin.read()
    try:
        return new, Path(new).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        from proxy.config.load import load  # noqa: PLC0415 - says what is wrong, and where

        load(Path(new), os.environ)
        raise


def _running(path: Path, name: str, text: str) -> Told | None:
    from proxy.cli.healthcheck import places  # noqa: PLC0415 - help needs none of these
    from proxy.client import reloads  # noqa: PLC0415

    return reloads.compare(places(path, os.environ), name, text)


def _by_file(path: Path, name: str, text: str) -> Told:
    """The same from the files alone.

    Raises:
        ConfigurationError: one of the two can't be used.
    """
    from proxy.client.reloads import Told  # noqa: PLC0415 - only where none runs
    from proxy.config.load import load, load_text  # noqa: PLC0415
    from proxy.runtime.comparing import compare  # noqa: PLC0415

    before = load(path, os.environ)
    after = load_text(text, name, path, os.environ)
    return Told(False, compare(before, after).document())
