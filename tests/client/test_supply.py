"""Who is asked: the sidecar that runs, at its own socket or an address, or the program itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.client import TokenSource
from proxy.client.running import NobodyThereError, RefusedError
from proxy.client.supply import AddressError, by_address
from proxy.secret import Secret
from tests.client.conftest import Scene
from tests.support.process import free_port, running

STORE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"


def config(scene: Scene, more: str = "", *, credential: str = "", admin: str = "off") -> str:
    path = scene.config(
        f"listen: 127.0.0.1:{free_port()}\nadmin: {admin}\n{more}", credential=credential
    )
    return path.read_text()


async def test_the_sidecar_that_runs_is_asked_first_even_with_tokens_in_memory(
    scene: Scene,
) -> None:
    text = config(scene)
    async with running(text, scene.home, environ=scene.environ) as sidecar:
        await sidecar.says("token_renewed")
        # No secret: it could not renew by itself.
        environ = {"HOME": str(scene.home), "XDG_RUNTIME_DIR": str(scene.home / "runtime")}
        with TokenSource("api", config=scene.home / "config.yaml", environ=environ) as source:
            lent = await source.alend()
            assert lent.token.reveal() == "token-1"
            assert (await source.areject(lent)).token.reveal() == "token-2"
        await sidecar.stop()
    assert scene.provider.asked == 2


async def test_a_sidecar_is_found_by_the_state_directory_that_the_configuration_names(
    scene: Scene,
) -> None:
    text = config(scene, "state_dir: state")
    environ = {name: value for name, value in scene.environ.items() if name != "XDG_RUNTIME_DIR"}
    without = {**environ, "XDG_RUNTIME_DIR": ""}
    async with running(text, scene.home, environ=without) as sidecar:
        await sidecar.says("token_renewed")
        path = scene.home / "config.yaml"
        with TokenSource("api", config=path, environ=environ) as source:
            assert await source.atoken() == "token-1"
        await sidecar.stop()
    assert scene.provider.asked == 1


async def test_when_the_sidecar_has_gone_the_program_goes_on_by_itself(scene: Scene) -> None:
    text = config(scene, STORE)
    async with running(text, scene.home, environ=scene.environ) as sidecar:
        await sidecar.says("token_renewed")
        path = scene.home / "config.yaml"
        source = TokenSource("api", config=path, environ=scene.environ)
        scene.sources.append(source)
        assert await source.atoken() == "token-1"
        await sidecar.stop()
    lent = await source.alend()
    assert (await source.areject(lent)).token.reveal() == "token-2"


async def test_over_tcp_the_clients_key_decides(scene: Scene) -> None:
    admin = f"127.0.0.1:{free_port()}"
    text = config(
        scene,
        "clients: {notebook: {key: {env: NOTEBOOK}}}",
        credential="    clients: [notebook]",
        admin=admin,
    )
    environ = {**scene.environ, "NOTEBOOK": "key-of-notebook"}
    async with running(text, scene.home, admin=admin, environ=environ) as sidecar:
        await sidecar.ready()
        with TokenSource("api", url=f"http://{admin}/", key="key-of-notebook") as source:
            assert await source.atoken() == "token-1"
            assert "key-of-notebook" not in f"{source!r} {vars(source)} {source._address!r}"
        with pytest.raises(RefusedError):
            await TokenSource("api", url=f"http://{admin}", key="another").atoken()
        with pytest.raises(RefusedError):
            await TokenSource("other", url=f"unix:{sidecar.own_socket}").atoken()
        await sidecar.stop()


async def test_an_address_where_nobody_is_means_no_token(tmp_path: Path) -> None:
    source = TokenSource("api", url=f"unix:{tmp_path}/absent")
    with pytest.raises(NobodyThereError):
        await asyncio.to_thread(source.token)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:8081", ("127.0.0.1", 8081)),
        ("http://localhost:8081/", ("localhost", 8081)),
        ("http://[::1]:8081", ("::1", 8081)),
        ("unix:/run/own.sock", Path("/run/own.sock")),
    ],
)
def test_a_control_planes_address_is_understood(url: str, place: object) -> None:
    assert by_address(url, None)._place == place


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:8081",
        "http://sidecar.example:8081",
        "http://127.0.0.1",
        "http://127.0.0.1:x",
        "https://127.0.0.1:8081",
        "127.0.0.1:8081",
        "http://127.0.0.1:8081/v1",
    ],
)
def test_a_key_goes_to_this_machine_alone(url: str) -> None:
    with pytest.raises(AddressError, match="admin"):
        by_address(url, Secret("key").reveal())
