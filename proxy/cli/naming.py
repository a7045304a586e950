"""Finds the credential that a command was given the name of."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import click

from proxy.config.model import Credential


def named(credentials: Mapping[str, Credential], name: str) -> Credential:
    """The credential of this name.

    Raises:
        click.BadParameter: there is none; says which there are.
    """
    if name in credentials:
        return credentials[name]
    near = difflib.get_close_matches(name, credentials, n=1)
    known = f"did you mean {near[0]}?" if near else f"there are: {', '.join(credentials) or 'none'}"
    raise click.BadParameter(f"no credential {name} in the configuration; {known}")
