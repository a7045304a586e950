"""Every mistake that a user can make says what, where and what to do, and nothing starts."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import SECRET, Scene
from tests.support.certificates import Authority
from tests.support.identity_provider import IdentityProvider
from tests.support.process import Finished, command

Spoil = Callable[[Scene, str], str]

NAMED = {"API_SECRET": SECRET, "TOKEN_SIDECAR_CONFIG": "config.yaml"}
_SETTING = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
LOWEST_FREE = int(_SETTING.read_text()) if _SETTING.exists() else 1024
PLACE = re.compile(r"^config\.yaml:\d+:\d+: \S")


async def ran(scene: Scene, config: str | bytes, *arguments: str, **environ: str) -> Finished:
    """``run`` (or another command) with this file; whatever it says must be fit for a person."""
    path = scene.home / "config.yaml"
    path.write_bytes(config if isinstance(config, bytes) else config.encode())
    finished = await command(
        *(arguments or ("run",)),
        "--config",
        "config.yaml",
        home=scene.home,
        environ={"API_SECRET": SECRET, **environ},
    )
    everything = finished.out + finished.err
    assert "Traceback" not in everything
    assert "this is a bug" not in everything
    assert SECRET not in everything
    return finished


def secret_in(name: str) -> Spoil:
    """A configuration whose secret is in the file ``name``."""
    return lambda _, config: config.replace("{env: API_SECRET}", f"{{file: {name}}}")


MISTAKES: dict[str, tuple[Spoil, str]] = {
    "wrong YAML": (lambda _, config: config + "\n  : [", "config.yaml"),
    "a wrong type": (lambda _, config: config + "hold: soon\n", "`hold`"),
    "an unknown key": (lambda _, config: config + "lisen: x\n", "did you mean `listen`"),
    "a duplicate key": (lambda _, config: config + "hold: 1s\nhold: 2s\n", "stands twice"),
    "a dangling name": (lambda _, c: c.replace("credential: api", "credential: apo"), "`api`"),
    "two routes alike": (
        lambda scene, c: (
            c + f"  - {{path: /api/, upstream: {scene.upstream.url}, credential: none}}\n"
        ),
        "same listener, host and path",
    ),
    "an upstream that is our own listener": (
        lambda scene, c: c.replace(scene.upstream.url, scene.url),
        "upstream",
    ),
    "an unset variable": (lambda _, c: c.replace("API_SECRET", "NOT_SET"), "NOT_SET is not set"),
    "a missing secret file": (secret_in("absent"), "does not exist"),
    "a secret file others may write": (secret_in("writable"), "chmod go-w"),
    "a directory where a secret file should be": (secret_in("directory"), "is a directory"),
    "a secret file that is not UTF-8": (secret_in("latin"), "UTF-8"),
    "an empty secret file": (secret_in("empty"), "is empty"),
    "an empty file": (lambda _scene, _config: "", "config.yaml:1:1"),
    "a missing certificate authority": (
        lambda _, c: c.replace("    client_id", "    tls: {ca_file: absent.pem}\n    client_id"),
        "absent.pem",
    ),
    "a certificate authority that is none": (
        lambda _, c: c.replace("    client_id", "    tls: {ca_file: latin}\n    client_id"),
        "holds no PEM certificate",
    ),
}


@pytest.fixture
def files(scene: Scene) -> Path:
    """Files that are no secret files."""
    (scene.home / "directory").mkdir()
    for name, content, mode in (
        ("writable", b"x", 0o620),
        ("latin", b"\xff\xfe\xe9", 0o600),
        ("empty", b"\n", 0o600),
    ):
        (scene.home / name).write_bytes(content)
        (scene.home / name).chmod(mode)
    return scene.home


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", ["run", "check"])
async def test_a_mistake_in_the_file_or_beside_it_is_located_and_ends_with_2(
    scene: Scene, mistake: str, name: str
) -> None:
    spoil, told = MISTAKES[mistake]
    finished = await ran(scene, spoil(scene, scene.config()), name)
    lines = finished.err.splitlines()
    assert finished.code == 2
    assert 1 <= len(lines) <= 2, finished.err
    assert all(PLACE.match(line) for line in lines), finished.err
    assert told in finished.err
    assert finished.out == ""
    assert scene.provider.asked == 0


async def test_a_file_that_is_not_utf_8_is_told_so(scene: Scene) -> None:
    finished = await ran(scene, b"listen: \xff\xfe\n")
    assert finished.code == 2
    assert "UTF-8" in finished.err


async def test_a_directory_where_the_file_should_be_is_told_so(scene: Scene) -> None:
    finished = await command("run", "--config", ".", home=scene.home)
    assert finished.code == 2
    assert "directory" in finished.err


async def test_no_file_at_all_says_where_it_was_looked_for(scene: Scene) -> None:
    finished = await command("run", home=scene.home)
    assert finished.code == 2
    assert "TOKEN_SIDECAR_CONFIG" in finished.err
    assert finished.err.count("\n") == 1


async def test_an_unreadable_secret_file_is_told_so(scene: Scene) -> None:
    (scene.home / "closed").write_text("x")
    (scene.home / "closed").chmod(0)
    (scene.home / "config.yaml").write_text(secret_in("closed")(scene, scene.config()))
    finished = await command("run", home=scene.home, environ=NAMED, powerless=True)
    assert finished.code == 2
    assert PLACE.match(finished.err)
    assert "may not be read" in finished.err


async def test_ten_mistakes_in_one_file_give_ten_located_messages(scene: Scene) -> None:
    finished = await ran(
        scene,
        f"""\
listen: 127.0.0.1:99999
admin: 0.0.0.0:9000
hold: soon
lisen: x
log: {{format: xml}}
drain: {{delay: -1s}}
credentials:
  api:
    token_url: ftp://provider.example.com
    client_id: api-client
    grant: client_credential
    client_secret: {{envv: API_SECRET}}
routes:
  - path: api
    upstream: {scene.upstream.url}
    credential: none
    max_body: plenty
""",
    )
    lines = finished.err.splitlines()
    assert finished.code == 2
    assert len(lines) >= 10, finished.err
    assert len({line.split(": ")[0] for line in lines}) >= 10
    assert all(PLACE.match(line) for line in lines), finished.err


@pytest.mark.parametrize("key", ["listen", "admin", "metrics"])
async def test_a_port_in_use_ends_with_1_and_names_the_key(scene: Scene, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        config = scene.config(f"metrics: {where}" if key == "metrics" else "")
        config = config.replace(scene.data if key == "listen" else scene.admin, where, 1)
        if key == "metrics":
            config = scene.config(f"metrics: {where}")
        finished = await ran(scene, config)
    assert finished.code == 1
    assert finished.err == (
        f"token-sidecar: {key}: can't listen on {where}: the port is in use; "
        "stop the program that has it or choose another port\n"
    )


async def test_a_port_that_takes_permission_is_told_so(scene: Scene) -> None:
    (scene.home / "config.yaml").write_text(scene.config("metrics: 127.0.0.1:81"))
    if LOWEST_FREE <= 81:
        return  # containers often let anybody have any port
    finished = await command("run", home=scene.home, environ=NAMED, powerless=True)
    assert finished.code == 1
    assert finished.err == (
        "token-sidecar: metrics: can't listen on 127.0.0.1:81: "
        "no permission for a port below 1024; choose a higher one\n"
    )


async def test_a_second_sidecar_with_the_same_file_is_told_that_one_runs(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        finished = await ran(scene, scene.config())
        assert finished.code == 1
        assert "can't listen on" in finished.err
        assert (await sidecar.ask("/healthz", own=True)).status == 200


async def test_a_refused_credential_ends_the_online_check_with_3(scene: Scene) -> None:
    scene.provider.clients.clear()
    finished = await ran(scene, scene.config(), "check", "--online")
    assert finished.code == 3
    assert finished.err.startswith("api: refused: ")
    assert "invalid_client" in finished.err


async def test_an_unreachable_provider_ends_the_online_check_with_4(scene: Scene) -> None:
    await scene.provider.stop()
    finished = await ran(scene, scene.config(), "check", "--online")
    assert finished.code == 4
    assert finished.err.startswith("api: unreachable: ")
    assert scene.provider.url in finished.err


async def test_an_untrusted_certificate_ends_the_online_check_with_4(
    scene: Scene, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with IdentityProvider(tls=authority.server_context(authority.issue())) as provider:
        config = scene.config().replace(scene.provider.token_url, provider.token_url)
        finished = await ran(scene, config, "check", "--online")
        assert finished.code == 4
        assert "not trusted" in finished.err
        assert "ca_file" in finished.err
        trusting = config.replace(
            "    client_id", f"    tls: {{ca_file: {authority.ca_file}}}\n    client_id"
        )
        finished = await ran(scene, trusting, "check", "--online")
        assert (finished.code, finished.err) == (0, "")


async def test_the_online_check_tells_of_the_token_and_never_the_token(scene: Scene) -> None:
    scene.provider.signed = True
    scene.provider.claims = {"aud": ["account", "api"]}
    finished = await ran(scene, scene.config(), "check", "--online")
    assert finished.code == 0
    assert finished.out.splitlines()[1] == (
        f"api: access_token, 60 s, issuer {scene.provider.issuer}, "
        "audience account, api, subject somebody"
    )
    assert scene.provider.issued[0] not in finished.out + finished.err
