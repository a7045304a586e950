"""``credential`` as kubectl, git and docker run it: words on stdin, answers on stdout."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.e2e.conftest import ENVIRON, SECRET, Scene
from tests.support.identity_provider import Reply
from tests.support.process import PROGRAM, Finished, environment, running

FILE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"
SECRETS = {**ENVIRON, "STORE_KEY": "00" * 32}
GIT = "protocol=https\nhost=git.example\n"
DOCKER = ("docker", "api", "--url", "https://registry.example")


class Helper:
    """Speaks to ``token-sidecar credential`` as the programs do."""

    def __init__(self, scene: Scene, more: str = FILE, credential: str = "") -> None:
        self.home = scene.home
        self.path = scene.home / "config.yaml"
        self.config = scene.config(more, credential=credential)
        self.path.write_text(self.config)

    async def __call__(self, *words: str, said: str = "", **environ: str) -> Finished:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            "credential",
            *words,
            "--config",
            str(self.path),
            cwd=self.home,
            env=environment(self.home, SECRETS | environ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(said.encode()), 60)
        assert process.returncode is not None
        return Finished(process.returncode, out.decode(), err.decode())


async def test_kubectl_is_given_the_token_and_its_end(scene: Scene) -> None:
    done = await Helper(scene)("kubectl", "api")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["status"]["token"] == "token-1"
    assert json.loads(done.out)["status"]["expirationTimestamp"].endswith("Z")


async def test_a_refused_token_is_followed_by_another_and_a_storm_by_none(scene: Scene) -> None:
    helper = Helper(scene)
    first = await helper("git", "api", "get", said=GIT)
    assert first.out.startswith("username=oauth2\npassword=token-1\npassword_expiry_utc=")
    assert (await helper("git", "api", "store", said=GIT + first.out)).out == ""
    for _ in range(3):
        done = await helper("git", "api", "erase", said=f"{GIT}password=token-1\n")
        assert (done.code, done.out, done.err) == (0, "", "")
    assert "token-2" in (await helper("git", "api", "get", said=GIT)).out
    await helper("git", "api", "erase", said=f"{GIT}password=token-2\n")
    await helper("git", "api", "erase", said=f"{GIT}password=of-another-helper\n")
    assert scene.provider.asked == 2


async def test_beside_a_sidecar_its_token_is_given_and_rejected(scene: Scene) -> None:
    helper = Helper(scene, "store: memory")
    async with running(helper.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        assert "token-1" in (await helper("git", "api", "get", said=GIT)).out
        await helper("git", "api", "erase", said=f"{GIT}password=token-1\n")
        assert "token-2" in (await helper(*DOCKER, "get", said="registry.example")).out
        await helper(*DOCKER, "erase", said="registry.example")
        assert scene.provider.asked == 2, "a storm of refusals causes one token request"


async def test_git_does_not_ask_a_person_where_no_token_comes(scene: Scene) -> None:
    scene.provider.otherwise = Reply(503)
    done = await Helper(scene)("git", "api", "get", said=GIT)
    assert (done.code, done.out) == (4, "quit=1\n")
    assert "503" in done.err


async def test_git_is_told_nothing_for_servers_that_are_not_named(scene: Scene) -> None:
    helper = Helper(scene)
    only = ("git", "api", "get", "--url", "https://other.example")
    assert (await helper(*only, said=GIT)).out == ""
    plain = await helper("git", "api", "get", said="protocol=http\nhost=git.example\n")
    assert (plain.code, plain.out) == (0, "")
    assert "plain http" in plain.err
    assert scene.provider.asked == 0


async def test_docker_is_answered_for_its_own_registries(scene: Scene) -> None:
    helper = Helper(scene)
    done = await helper(*DOCKER, "get", said="https://registry.example/v2/\n")
    assert json.loads(done.out) == {
        "ServerURL": "https://registry.example/v2/",
        "Username": "oauth2",
        "Secret": "token-1",
    }
    absent = await helper(*DOCKER, "get", said="https://index.docker.io/v1/")
    assert (absent.code, absent.out) == (1, "credentials not found in native keychain\n")
    said = json.dumps({"ServerURL": "registry.example", "Username": "a", "Secret": "b"})
    assert (await helper(*DOCKER, "store", said=said)).code == 0
    named = await helper(*DOCKER, "list", "--username", "robot")
    assert json.loads(named.out) == {"https://registry.example": "robot"}


@pytest.mark.parametrize("words", [("kubectl", "apj"), ("git", "apj", "get")])
async def test_a_name_that_is_not_there_is_told(scene: Scene, words: tuple[str, ...]) -> None:
    done = await Helper(scene)(*words, said=GIT)
    assert done.code == 2
    assert "did you mean api?" in done.err


async def test_no_secret_is_told_and_the_token_on_stdout_alone(scene: Scene) -> None:
    helper = Helper(scene)
    every = [
        await helper("kubectl", "api", KUBERNETES_EXEC_INFO="{}"),
        await helper("git", "api", "get", said=GIT),
        await helper("git", "api", "erase", said=f"{GIT}password=token-1\n"),
        await helper("git", "api", "nonsense", said=GIT),
        await helper("docker", "api", "get", said="registry.example"),
        await helper(*DOCKER, "nonsense"),
    ]
    assert [done.code for done in every] == [1, 0, 0, 0, 1, 1]
    assert not [done for done in every if SECRET in done.out + done.err]
    assert not [done for done in every if "token-" in done.err.replace("token-sidecar", "")]
    kept = b"".join(path.read_bytes() for path in (scene.home / "tokens").iterdir())
    assert b"token-1" not in kept
