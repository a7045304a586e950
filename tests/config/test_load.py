import errno
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from proxy.config.load import load
from proxy.config.model import Config
from proxy.errors import ConfigurationError


def fault(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, {"HOME": "/home/mary"})
    (problem,) = caught.value.problems
    return str(problem)


class Locked(type(Path())):  # type: ignore[misc]  # the class depends on the system
    """A path that the system lets nobody open."""

    code = errno.EACCES

    def open(self, *_: Any, **__: Any) -> NoReturn:
        raise OSError(self.code, "no")


class Broken(Locked):
    code = errno.EIO


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    assert fault(path) == f"{path}:1:1: there is no such file"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert fault(tmp_path) == f"{tmp_path}:1:1: this is a directory: name the file in it"


def test_a_file_that_may_not_be_read_is_said_to_be_so() -> None:
    assert fault(Locked("c.yaml")).startswith("c.yaml:1:1: we may not read this file")


def test_any_other_fault_of_the_system_is_passed_on() -> None:
    assert fault(Broken("c.yaml")) == "c.yaml:1:1: the file can't be read: no"


def test_text_that_is_not_utf_8_is_located(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"hold: 3s\nx: \xc3\xa4\xff\n")
    assert fault(path) == f"{path}:2:5: the file is not UTF-8 here: save it as UTF-8"


def test_utf_16_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes("hold: 3s\n".encode("utf-16"))
    assert "not UTF-8" in fault(path)


def test_a_huge_file_is_not_read_whole() -> None:
    assert "larger than 1 MiB" in fault(Path("/dev/zero"))


def test_messages_name_the_file_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("hodl: 1\n")
    with pytest.raises(ConfigurationError, match=r"^c\.yaml:1:1: "):
        load(Path("c.yaml"), {})


def test_the_defaults_are_the_contracts(loaded: Callable[[str], Config], directory: Path) -> None:
    config = loaded("routes: [{upstream: https://u, credential: none}]")
    assert config.path == directory / "c.yaml"
    assert [str(one) for one in config.listen] == ["127.0.0.1:8080"]
    assert str(config.admin) == "127.0.0.1:8081"
    assert config.metrics is None
    assert config.state_dir == Path("/home/mary/.local/state/token-sidecar")
    assert (config.hold, config.drain.delay, config.drain.grace) == (10, 0, 30)
    assert (config.log.format, config.log.level, config.log.access) == ("text", "info", True)
    limits = config.limits
    assert (limits.target, limits.head, limits.fields) == (8192, 65536, 100)
    assert (limits.head_time, limits.body_idle) == (10, 30)
    assert (limits.connections, limits.in_flight) == (10000, 2000)
    assert limits.replay_budget == 16 << 20
    (route,) = config.routes
    assert (route.path, route.header, route.scheme) == ("/", "Authorization", "Bearer")
    assert (route.timeouts.connect, route.timeouts.head, route.timeouts.idle) == (10, 300, 300)
    assert (route.max_body, route.replay_body) == (10 << 30, 1 << 20)
    assert not config.warnings


@pytest.mark.parametrize("off", ["off", "false", "'off'"])
def test_admin_and_metrics_can_be_off(loaded: Callable[[str], Config], off: str) -> None:
    config = loaded(f"admin: {off}\nmetrics: {off}\n")
    assert config.admin is None
    assert config.metrics is None


def test_values_that_mean_off_or_the_only_choice_are_accepted(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
        quitquitquit: false
        workers: 1
        store: memory
        credentials:
          a: {token_url: https://i/t, client_id: a, client_secret: {env: A}, clients: [],
              cookies: [], request: form}
        routes:
          - {upstream: https://u, credential: a, rewrite_location: false, sdk_login: off}
        """
    assert problems(text) == []


def test_relative_paths_are_relative_to_the_file_and_a_tilde_is_the_home(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    config = loaded("state_dir: state/../here\nlisten: unix:run/s.sock\nadmin: unix:~/a.sock\n")
    assert config.state_dir == directory / "here"
    assert config.listen[0].path == str(directory / "run/s.sock")
    assert config.admin is not None
    assert config.admin.path == "/home/mary/a.sock"


def test_equal_files_give_equal_values_wherever_the_keys_stand(
    loaded: Callable[[str], Config],
) -> None:
    text = "credentials: {a: {grant: static, token: {env: T}}}\n"
    assert loaded(text).credentials == loaded("\n\n" + text).credentials


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hold: soon", "1:7: `hold` must be a duration"),
        ("hold: 1:30", "1:7: `hold` must be a duration"),
        ("hold: 90 s", "1:7: `hold` must be a duration"),
        ("hold: true", "1:7: `hold` must be a duration"),
        ("hold: -1", "1:7: `hold` must be a duration"),
        ("hold: 999999d", "1:7: `hold` must be a duration of at most a year"),
        ("limits: {head_time: 0}", "1:21: `head_time` must be more than 0"),
        ("limits: {fields: 0}", "1:18: `fields` must be more than 0"),
        ("limits: {fields: 1.5}", "1:18: `fields` must be a whole number"),
        ("limits: {fields: many}", "1:18: `fields` must be a whole number"),
        ("limits: {head: 1KiB}", "`target` must not exceed `head`"),
        ("limits: {replay_budget: 16 MiB}", "1:25: `replay_budget` must be a size"),
        ("limits: []", "1:9: `limits` must be a mapping of keys"),
        ("log: {access: maybe}", "1:15: `access` must be true or false"),
        ("log: {level: warn}", "1:14: `level` must be one of debug, info, warning, error; did you"),
        ("log: {format: xml}", "1:15: `format` must be one of text, json"),
        ("workers: 0", "1:10: `workers` must be more than 0"),
        ("workers: true", "1:10: `workers` must be a whole number"),
        ("peer_uids: [root]", "1:13: an entry of `peer_uids` must be a whole number"),
        ("peer_uids: 1000", "1:12: `peer_uids` must be a list"),
        ("hosts: ['*.example.com']", "1:9: an entry of `hosts` must be a host name"),
        ("hosts: ['a:99999']", "1:9: an entry of `hosts` must be a host name"),
        ("browser_origins: [https://a/b]", "1:19: an entry of `browser_origins` must be scheme"),
        ("clients: {a: secret}", "1:14: `a` must be a mapping of keys"),
        ("clients: {a: {}}", "1:11: a client needs a `key`"),
        (
            "clients: {a: {key: {env: A, file: b}}}",
            "`key` must have exactly one of env, file, keyring, vault, command and systemd",
        ),
        ("clients: {'a b': {key: {env: A}}}", "1:11: a name is made of"),
        ("credentials: {none: {grant: static, token: {env: A}}}", "1:15: a name is made of"),
        ("routes: []", "`routes` is missing"),
        ("state_dir: 3", "1:12: `state_dir` must be text: put it in quotes"),
    ],
)
def test_wrong_values_are_located_and_told_what_would_be_right(
    problems: Callable[[str], list[str]], text: str, expected: str
) -> None:
    found = problems(text + "\n")
    assert len(found) == 1
    assert expected in found[0]


def test_yes_and_no_are_understood_where_a_switch_is(loaded: Callable[[str], Config]) -> None:
    assert loaded("log: {access: no}\n").log.access is False
    assert loaded("allow_remote: yes\nlisten: 0.0.0.0:1\n").allow_remote is True


def test_hosts_and_origins_are_in_lower_case(loaded: Callable[[str], Config]) -> None:
    config = loaded("hosts: [A.Example:80, '[::1]:3', B]\nbrowser_origins: ['https://A:443']\n")
    assert config.hosts == {"a.example:80", "[::1]:3", "b"}
    assert config.browser_origins == {"https://a"}


def test_values_without_plain_secrets_can_be_handed_to_another_process(
    loaded: Callable[[str], Config],
) -> None:
    config = loaded("credentials: {a: {grant: static, token: {env: T}}}\n")
    assert pickle.loads(pickle.dumps(config)) == config


def test_the_values_do_not_bring_the_library_that_checked_them() -> None:
    program = "import sys, proxy.config.model; print('pydantic' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "False\n"


@pytest.mark.parametrize(
    "keys", ["credentials_file: pipe", "issuer: https://i, client_id: a, tls: {ca_file: pipe}"]
)
def test_a_pipe_is_refused_where_a_file_is_read_more_than_once(
    problems: Callable[[str], list[str]], directory: Path, keys: str
) -> None:
    os.mkfifo(directory / "pipe")
    found = problems(f"credentials:\n  a: {{{keys}, client_secret: {{env: S}}}}\n")
    assert any("which is no regular file: it is read more than once" in one for one in found)
