"""Reads the client that a vendor's csv or ini holds (Eggplant DAI's downloads).

Pure: text in, fields out, so that a changed file is read the same way wherever it is read.
No message repeats the text; every part of it may be the secret.
"""

from __future__ import annotations

import configparser
import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.config.scalars import UnfitError
from proxy.secret import Secret

_FIELDS = ("client_id", "client_secret", "token_url")


@dataclass(frozen=True, slots=True)
class FileClient:
    """What such a file holds; None for what is not in it."""

    client_id: str | None
    client_secret: Secret | None
    token_url: str | None


def read(path: Path) -> FileClient:
    """The client in the file at ``path``.

    Raises:
        UnfitError: what is wrong with its content, as the rest of a sentence.
        OSError: it can't be read.
    """
    try:
        return parse(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnfitError("is not UTF-8 text") from None


def parse(text: str) -> FileClient:
    """The client in ``text``.

    A csv has a header row with the values below, or one key and value per row; an ini has
    any section with a ``client_id`` and a ``client_secret``.

    Raises:
        UnfitError: what is wrong, as the rest of a sentence.
    """
    ini = any(line.lstrip().startswith("[") for line in text.splitlines())
    found = _of_ini(text) if ini else _of_csv(text)
    if not (found.get("client_id") or found.get("client_secret")):
        raise UnfitError("has no client_id and client_secret: neither as csv nor as ini")
    secret = found.get("client_secret")
    return FileClient(
        client_id=found.get("client_id") or None,
        client_secret=Secret(secret) if secret else None,
        token_url=found.get("token_url") or None,
    )


def _name(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_")


def _chosen(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {_name(key): value.strip() for key, value in pairs if _name(key) in _FIELDS}


def _of_csv(text: str) -> Mapping[str, str]:
    try:
        rows = [row for row in csv.reader(text.splitlines(), strict=True) if any(row)]
    except csv.Error:
        raise UnfitError("is not a well-formed csv") from None
    if rows and sum(_name(cell) in _FIELDS for cell in rows[0]) > 1:
        if len(rows) != 2:
            raise UnfitError("must have one row of values below its header row")
        return _chosen(zip(rows[0], rows[1], strict=False))
    return _chosen((row[0], row[1]) for row in rows if len(row) > 1)


def _of_ini(text: str) -> Mapping[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    # The library itself stumbles over a continued line below a key that has no value.
    except (configparser.Error, AttributeError):
        raise UnfitError("is not a well-formed ini") from None
    for section in (parser[name] for name in parser.sections()):
        found = _chosen((key, value or "") for key, value in section.items())
        if found.get("client_id") and found.get("client_secret"):
            return found
    return {}
