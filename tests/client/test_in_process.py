"""Tokens without a sidecar: from the store, renewed by the program, on real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import traceback
from pathlib import Path

import pytest

from proxy.client import TokenSource
from proxy.client.running import RefusedError
from proxy.errors import ConfigurationError, CredentialRefused, CredentialUnavailable
from tests.client.conftest import SECRET, Scene
from tests.support.identity_provider import Reply
from tests.support.process import environment, until

STORE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"
ROTATING = "    grant: refresh_token\n    refresh_token: {env: FIRST}"


async def test_programs_that_share_a_store_share_one_token_request(scene: Scene) -> None:
    one, other = scene.source(STORE), scene.source(STORE)
    assert await one.atoken() == await other.atoken() == "token-1"
    assert scene.provider.asked == 1


async def test_a_token_comes_where_no_loop_runs_and_where_one_does(scene: Scene) -> None:
    source = scene.source()
    assert await asyncio.to_thread(source.token) == "token-1"
    assert source() == "token-1"
    assert (await source.alend()).generation == 1


async def test_what_was_refused_is_replaced_for_all_who_share_the_store(scene: Scene) -> None:
    one, other = scene.source(STORE), scene.source(STORE)
    first, theirs = await one.alend(), await other.alend()
    assert (await one.areject(first)).token.reveal() == "token-2"
    assert (await other.areject(theirs)).token.reveal() == "token-2"
    assert scene.provider.asked == 2


async def test_a_refresh_asks_the_provider(scene: Scene) -> None:
    source = scene.source()
    await source.alend()
    assert (await source.arefresh()).token.reveal() == "token-2"


async def test_who_wants_a_longer_life_gets_a_new_token_where_there_is_one(scene: Scene) -> None:
    scene.provider.lifetime = 300
    source = scene.source(STORE)
    lent = await source.alend()
    assert lent.expires_in is not None
    assert await source.atoken(min_ttl=lent.expires_in) == "token-2"
    assert await source.atoken(min_ttl=4000) == "token-2"
    assert scene.provider.asked == 2


async def test_a_wrong_password_is_tried_once(scene: Scene) -> None:
    source = scene.source(credential="    grant: password\n    username: mary\n    password: no")
    for _ in range(5):
        with pytest.raises(CredentialRefused):
            await source.atoken()
    assert scene.provider.asked == 1


async def test_a_missing_secret_is_named(scene: Scene) -> None:
    environ = {name: value for name, value in scene.environ.items() if name != "API_SECRET"}
    with (
        TokenSource("api", config=scene.config(), environ=environ) as source,
        pytest.raises(CredentialUnavailable, match="API_SECRET"),
    ):
        await source.atoken()


async def test_a_name_that_is_not_there_is_told_with_those_that_are(scene: Scene) -> None:
    source = TokenSource("apj", config=scene.config(), environ=scene.environ)
    with source, pytest.raises(RefusedError, match="no credential apj; there are: api"):
        await source.atoken()


async def test_a_credential_of_each_caller_is_none_of_a_programs(scene: Scene) -> None:
    source = scene.source(
        credential="    grant: token_exchange\n    subject: request\n",
    )
    with pytest.raises(RefusedError, match="each caller"):
        await source.atoken()


async def test_mistakes_in_the_configuration_are_told_with_their_place(scene: Scene) -> None:
    source = scene.source("stoer: memory")
    with pytest.raises(ConfigurationError, match=r"config.yaml:1:1: .*store"):
        await source.atoken()


async def test_a_token_that_another_is_made_from_is_obtained_first(scene: Scene) -> None:
    scene.provider.further_grants["urn:ietf:params:oauth:grant-type:token-exchange"] = lambda _: (
        None
    )
    source = scene.source(
        credential=(
            f"  exchanged:\n    token_url: {scene.provider.token_url}\n"
            "    client_id: api-client\n    client_secret: {env: API_SECRET}\n"
            "    grant: token_exchange\n    subject: {credential: api}"
        )
    )
    with TokenSource("exchanged", config=source._config, environ=scene.environ) as exchanged:
        assert await exchanged.atoken() == "token-2"
    assert scene.provider.requests[1].form["subject_token"] == "token-1"


async def test_a_rotated_refresh_token_is_kept_where_the_program_ends_at_once(
    scene: Scene,
) -> None:
    scene.provider.refresh_lifetime, scene.provider.kills_families = 600, True
    scene.provider.accept_refresh_token("first")
    scene.provider.script.append(Reply(delay=0.5))
    config = scene.config(STORE, credential=ROTATING)
    program = (
        "import threading, time\nfrom proxy.client import TokenSource\n"
        f"source = TokenSource('api', config={str(config)!r})\n"
        "threading.Thread(target=source.token, daemon=True).start()\n"
        "while not source._kept._supply or not source._kept._supply._alone: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
    )
    environ = {**scene.environ, "FIRST": "first"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment(scene.home, environ)
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert scene.provider.asked == 1
    with TokenSource("api", config=config, environ=environ) as source:
        assert await source.atoken() == "token-1"
        await source.arefresh()
    assert scene.provider.reused == 0


async def test_nothing_is_left_of_a_source_that_is_gone(scene: Scene) -> None:
    before = threading.active_count()
    source = scene.source(STORE)
    await asyncio.to_thread(source.token)
    assert "token-sidecar" in {thread.name for thread in threading.enumerate()}
    scene.sources.clear()
    del source

    async def gone() -> bool:
        gc.collect()  # until the thread that asked has let go of the source as well
        return "token-sidecar" not in {thread.name for thread in threading.enumerate()}

    await until(gone, what="the end of the source's thread")
    assert threading.active_count() <= before + 1


async def test_a_closed_source_can_be_used_again(scene: Scene) -> None:
    source = scene.source(STORE)
    await source.atoken()
    await asyncio.to_thread(source.close)
    assert await source.atoken() == "token-1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
async def test_a_forked_process_has_tokens_too(scene: Scene) -> None:
    program = (
        "import os\nfrom proxy.client import TokenSource\n"
        f"source = TokenSource('api', config={str(scene.config(STORE))!r})\n"
        "source.token()\nchild = os.fork()\n"
        "works = source.token() and source.refresh().generation > 1\n"
        "if not child:\n    raise SystemExit(0 if works else 1)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "raise SystemExit(code if works else 2)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment(scene.home, scene.environ)
    )
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_no_token_and_no_secret_shows_anywhere(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = scene.source(STORE)
    lent = await source.alend()
    said = [repr(source), repr(lent), str(lent), repr(source._kept)]
    scene.provider.script += [Reply(400, {"error": "invalid_client"})]
    try:
        await source.arefresh()
    except CredentialRefused as error:
        said += traceback.format_exception(error)
    said += [caplog.text, *(_text(path) for path in (scene.home / "tokens").iterdir())]
    for secret in (SECRET, *scene.provider.issued):
        assert not [text for text in said if secret in text]


def _text(path: Path) -> str:
    return path.read_bytes().decode("latin-1")
