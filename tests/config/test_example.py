"""``config.example.yaml`` and the model name the same keys, and say the same about them."""

from inspect import get_annotations
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from proxy.config.check import model_of
from proxy.config.document import compose
from proxy.config.file_keys import FileKeys
from proxy.config.load import load
from proxy.config.model import RedisStore
from proxy.config.report import Report

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
WHOLE = "\n".join(LINES)
INSTEAD = ["\n".join(one[3:] for one in LINES if one.startswith(mark)) for mark in ("#: ", "#; ")]
"""What may stand instead of a section, where a section can't have all of its keys at once."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with every file that the example names and that is read with it."""
    for name in ("corp-ca.pem", "client.pem", "client-key.pem", "server.pem", "server.key"):
        (tmp_path / name).touch()
    (tmp_path / "dai-client.csv").write_text(
        "client_id,client_secret,token_url\nid,s,https://dai.example.com/token\n"
    )
    return tmp_path


def written(directory: Path, text: str) -> Path:
    file = directory / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_it_loads_without_a_problem_or_a_warning(directory: Path) -> None:
    config = load(written(directory, WHOLE), {"HOME": "/home/mary"})
    assert not config.warnings
    assert len(config.routes) == 2


def test_what_may_stand_instead_loads_as_well(directory: Path) -> None:
    routes = "routes: [{upstream: https://api.example.com/, credential: none}]\n"
    configs = [load(written(directory, routes + one), {"HOME": "/home/mary"}) for one in INSTEAD]
    assert not any(config.warnings for config in configs)
    assert isinstance(configs[0].store, RedisStore)


def test_every_key_is_in_it_and_no_other() -> None:
    trees = [compose(text, Report("example")) for text in (WHOLE, *INSTEAD)]
    assert {key for tree in trees for key in _used(tree, FileKeys)} == set(_known(FileKeys))


def _used(tree: Any, model: type[BaseModel]) -> list[tuple[str, str]]:
    if isinstance(tree, list):
        return [one for item in tree for one in _used(item, model)]
    if not isinstance(tree, dict):
        return []
    found = [(_owner(model, key), key) for key in tree]
    for key, value in tree.items():
        field = model.model_fields[key]
        inner = model_of(field.annotation)
        named = str(field.annotation).startswith("dict[")
        for one in value.values() if inner and named else [value]:
            found += _used(one, inner) if inner else []
    return found


def _known(model: type[BaseModel]) -> list[tuple[str, str]]:
    found = [(_owner(model, key), key) for key in model.model_fields]
    for field in model.model_fields.values():
        if inner := model_of(field.annotation):
            found += _known(inner)
    return found


def _owner(model: type[BaseModel], key: str) -> str:
    """The class that declares it: a credential may have a provider's keys, and need not."""
    return next(one.__name__ for one in model.__mro__ if key in get_annotations(one))
