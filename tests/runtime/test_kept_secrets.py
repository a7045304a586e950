"""The secrets of a running sidecar: what is read before it starts, again, and what is forgotten."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config.load import load
from proxy.config.model import CommandSecret, Config, SecretReference
from proxy.errors import ConfigurationError, SecretUnavailableError
from proxy.net.trust import Trust
from proxy.runtime.kept_secrets import KeptSecrets, prefetched
from proxy.runtime.preflight import client_keys, inspect
from proxy.runtime.tls import TlsContexts
from tests.support.process import REPOSITORY, until

ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
ROUTE = "routes: [{path: /, upstream: http://127.0.0.1:9, credential: none}]\n"


def configured(directory: Path, *credentials: str, more: str = "") -> Config:
    lines = "".join(f"  c{number}: {one}\n" for number, one in enumerate(credentials))
    file = directory / "c.yaml"
    file.write_text(f"{more}\ncredentials:\n{lines}{ROUTE}" if lines else more + ROUTE)
    return load(file, ENVIRON)


def command(script: str) -> str:
    return f"{{grant: static, token: {{command: [sh, -c, {json.dumps(script)}], every: 1s}}}}"


def kept(told: list[tuple[str, str, str]] | None = None) -> KeptSecrets:
    def tell(level: str, kind: str, message: str) -> None:
        if told is not None:
            told.append((level, kind, message))

    return KeptSecrets(ENVIRON, SystemClock(), Trust(), tell)


def token(config: Config, name: str = "c0") -> SecretReference:
    found = config.credentials[name].token
    assert found is not None
    return found


async def test_what_takes_its_time_is_read_all_at_once(tmp_path: Path) -> None:
    config = configured(tmp_path, *(command(f"sleep 1; echo {one}") for one in "abcd"))
    began = time.monotonic()
    secrets = await prefetched(config, ENVIRON, SystemClock(), lambda *_: None)
    assert time.monotonic() - began < 3.5
    found = {secrets(token(config, f"c{number}")).read().reveal() for number in range(4)}
    assert found == set("abcd")
    await secrets.close()


async def test_a_change_is_told_to_whom_it_concerns_and_counted(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.write_text("canary-1")
    config = configured(tmp_path, command(f"cat {shown}"), command("echo other"))
    told: list[tuple[str, str, str]] = []
    changed: list[SecretReference] = []
    secrets = kept(told)
    secrets.changed = changed.append
    await secrets.prefetch(config)
    await secrets.keep(config)
    shown.write_text("canary-2")

    async def known() -> bool:
        return bool(changed)

    await until(known, what="the change")
    assert changed == [token(config)]
    first, second = secrets.statuses()
    assert (first.kind, first.credentials, first.changes) == ("command", ("c0",), 1)
    assert first.changed_at is not None
    assert second.changes == 0
    assert first.place != second.place
    assert [kind for _, kind, _ in told] == ["secret_changed"]
    assert "canary" not in repr((told, secrets.statuses()))
    await secrets.close()


async def test_what_the_configuration_names_no_more_is_forgotten(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    config = configured(tmp_path, command(f"echo x >> {ran}; echo value"))
    secrets = kept()
    await secrets.prefetch(config)
    await secrets.keep(config)
    assert len(secrets.statuses()) == 1
    await secrets.keep(configured(tmp_path))
    assert secrets.statuses() == ()
    times = len(ran.read_text().splitlines())
    again = configured(tmp_path, command(f"echo x >> {ran}; echo value"))
    await secrets.prefetch(again)
    assert len(ran.read_text().splitlines()) == times + 1
    await secrets.close()


async def test_what_is_not_followed_is_read_again_by_every_reload(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("first")
    more = f"clients: {{a: {{key: {{command: [cat, {tmp_path}/key]}}}}}}\n"
    config = configured(tmp_path, more=more)
    secrets = kept()
    for value in ("first", "second"):
        (tmp_path / "key").write_text(value)
        await secrets.prefetch(config)
        await secrets.keep(config)
        assert client_keys(config, secrets)["a"].reveal() == value
    assert secrets.statuses() == ()
    await secrets.close()


@pytest.mark.parametrize("when", ["before the start", "later"])
async def test_the_end_of_the_sidecar_ends_a_command_that_hangs(tmp_path: Path, when: str) -> None:
    pid, hang = tmp_path / "pid", tmp_path / "hang"
    script = f"test -e {hang} || exec echo value; echo $$ > {pid}; sleep 600"
    config = configured(tmp_path, command(script))
    if when == "before the start":
        hang.touch()
    beginning = asyncio.ensure_future(prefetched(config, ENVIRON, SystemClock(), lambda *_: None))
    if when == "later":
        secrets = await beginning
        await secrets.keep(config)
        hang.touch()
    await until(lambda: _is_there(pid), what="its start")
    if when == "later":
        await secrets.close()
    beginning.cancel()
    await until(lambda: _has_ended(int(pid.read_text())), deadline=5.0, what="its end")


async def _is_there(file: Path) -> bool:
    return file.exists() and bool(file.read_text().strip())  # noqa: ASYNC240 - a word in memory


async def _has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240 - no disk is asked


async def test_a_client_without_its_key_is_a_mistake_even_if_it_may_pass(tmp_path: Path) -> None:
    more = "clients: {a: {key: {command: ['false']}}}\n"
    config = configured(tmp_path, more=more)
    secrets = kept()
    await secrets.prefetch(config)
    with pytest.raises(ConfigurationError, match=r"c.yaml:1:.*the command false ended with 1"):
        client_keys(config, secrets)


async def test_what_may_pass_is_a_warning_at_the_start_and_a_mistake_in_a_reload(
    tmp_path: Path,
) -> None:
    config = configured(tmp_path, command("exit 1"), command("echo ''"))
    secrets = kept()
    await secrets.prefetch(config)
    for starting, problems in ((True, 1), (False, 2)):
        found = inspect(config, ENVIRON, TlsContexts(), secrets, starting=starting)
        assert len(found.problems) == problems
        assert len(found.warnings) == 2 - problems
    with pytest.raises(SecretUnavailableError):
        secrets(token(config)).read()


async def test_equal_secrets_are_one_place(tmp_path: Path) -> None:
    config = configured(tmp_path, command("echo one"), command("echo one"))
    secrets = kept()
    assert secrets(token(config, "c0")) is secrets(token(config, "c1"))
    await secrets.prefetch(config)
    await secrets.keep(config)
    (found,) = secrets.statuses()
    assert found.credentials == ("c0", "c1")
    assert isinstance(token(config), CommandSecret)
    await secrets.close()


def test_who_has_no_such_secrets_imports_nothing_for_them() -> None:
    program = (
        "import sys, proxy.runtime.kept_secrets; from proxy.config.model import EnvSecret;"
        "from proxy.secrets.references import Direct; Direct({'A': 'b'})(EnvSecret('A', None));"
        "print([one for one in sys.modules if one.startswith('proxy.secrets.') and"
        " one.rpartition('.')[2] in ('command', 'systemd', 'vault', 'reader', 'off_loop')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
