from pathlib import Path

import pytest

from proxy.config.find import find
from proxy.errors import ConfigurationError


def test_the_option_comes_first(tmp_path: Path) -> None:
    environ = {"TOKEN_SIDECAR_CONFIG": "/env.yaml", "HOME": str(tmp_path)}
    assert find("/given.yaml", environ, tmp_path) == Path("/given.yaml")


def test_then_the_environment_variable(tmp_path: Path) -> None:
    (tmp_path / "token-sidecar.yaml").touch()
    environ = {"TOKEN_SIDECAR_CONFIG": "/env.yaml", "HOME": str(tmp_path)}
    assert find(None, environ, tmp_path) == Path("/env.yaml")


def test_an_empty_variable_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "token-sidecar.yaml").touch()
    environ = {"TOKEN_SIDECAR_CONFIG": "", "HOME": str(tmp_path)}
    assert find(None, environ, tmp_path) == tmp_path / "token-sidecar.yaml"


def test_then_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token-sidecar.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert find(None, {"HOME": "/nowhere"}, Path.cwd()) == Path("token-sidecar.yaml")


@pytest.mark.parametrize("xdg", ["", "relative", "own"])
def test_then_the_users_configuration(tmp_path: Path, xdg: str) -> None:
    base = tmp_path / "own" if xdg == "own" else tmp_path / ".config"
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(base) if xdg == "own" else xdg}
    file = base / "token-sidecar" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    assert find(None, environ, tmp_path) == file


def test_a_tilde_is_the_home(tmp_path: Path) -> None:
    assert find("~/c.yaml", {"HOME": "/home/mary"}, tmp_path) == Path("/home/mary/c.yaml")


def test_a_relative_name_is_relative_to_the_working_directory(tmp_path: Path) -> None:
    assert find("c.yaml", {}, tmp_path) == tmp_path / "c.yaml"
    assert find("c.yaml", {}, Path.cwd()) == Path("c.yaml")


def test_finding_nothing_tells_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find(None, {"HOME": str(tmp_path)}, tmp_path)
    for place in (
        "--config",
        "TOKEN_SIDECAR_CONFIG",
        str(tmp_path / "token-sidecar.yaml"),
        str(tmp_path / ".config/token-sidecar/config.yaml"),
    ):
        assert place in str(caught.value)
