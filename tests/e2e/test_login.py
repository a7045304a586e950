"""``login`` and ``logout`` as a person runs them, the browser being a few lines here."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.support.consent import People
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.person import AtTerminal, at_terminal, browse, redirect_of, sent_with
from tests.support.process import Finished, command, free_ports, running, until
from tests.support.upstream import Upstream, upstream

ELSEWHERE = "https://seldon.example/seldon-deploy/auth/callback"


@dataclass
class Scene:
    home: Path
    provider: IdentityProvider
    people: People
    upstream: Upstream
    data: str
    admin: str
    grant: str = "authorization_code"
    more: str = ""
    store: str = "store: {file: tokens}"

    @property
    def environ(self) -> dict[str, str]:
        return {"SECRET": CLIENT[1]}

    def write(self) -> None:
        file = self.home / "token-sidecar.yaml"
        file.write_text(f"""\
listen: {self.data}
admin: {self.admin}
state_dir: state
{self.store}
credentials:
  mine:
    grant: {self.grant}
    issuer: {self.provider.issuer}
    client_id: {CLIENT[0]}
    client_secret: {{env: SECRET}}
    scope: openid
    {self.more}
  robot:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: SECRET}}
routes:
  - {{path: /, upstream: "{self.upstream.url}", credential: mine}}
""")

    def login(self, *arguments: str, **environ: str) -> AbstractAsyncContextManager[AtTerminal]:
        self.write()
        return at_terminal(["login", "mine", *arguments], self.home, self.environ | environ)

    async def run(self, *arguments: str) -> Finished:
        self.write()
        return await command(*arguments, home=self.home, environ=self.environ)

    async def logged_in(self) -> None:
        async with self.login("--no-browser") as person:
            await browse(await person.address())
            assert (await person.ended()).code == 0

    def secrets(self) -> tuple[str, ...]:
        return (CLIENT[1], "code-1", "refresh-2", *self.provider.issued)


@pytest.fixture
async def scene(home: Path) -> AsyncIterator[Scene]:
    provider = IdentityProvider()
    people = People(provider)
    async with provider, upstream() as served:
        people.announce()
        provider.refresh_lifetime = 0
        data, admin = (f"127.0.0.1:{port}" for port in free_ports(2))
        yield Scene(home, provider, people, served, data, admin)


async def test_a_browser_follows_the_address_and_the_login_is_kept(scene: Scene) -> None:
    async with scene.login("--no-browser") as person:
        status, text = await browse(await person.address())
        done = await person.ended()
    assert status == 200
    assert "mine: you are logged in" in text
    assert done.code == 0
    assert done.out == "mine: logged in; access_token, 60 s, renews by itself\n"
    assert not any(secret in done.out + done.err + text for secret in scene.secrets())
    kept = b"".join(file.read_bytes() for file in scene.home.rglob("*") if file.is_file())
    assert b"refresh-" not in kept


async def test_the_browser_is_opened_where_there_is_one(scene: Scene) -> None:
    opened = scene.home / "opened"
    browser = scene.home / "browser"
    chat = "echo I am a browser"
    browser.write_text(
        f'#!/bin/sh\n{chat}\necho "$1" > {opened}.part && mv {opened}.part {opened}\n'
    )
    browser.chmod(0o700)
    async with scene.login(BROWSER=f"{browser} %s") as person:

        async def there() -> bool:
            return opened.exists()

        await until(there, what="the browser's start")
        assert opened.read_text().strip() == await person.address()
        await browse(opened.read_text().strip())
        done = await person.ended()
    assert done.code == 0
    assert done.out.startswith("mine: logged in")


async def test_a_browser_that_does_not_start_is_told_and_the_address_still_works(
    scene: Scene,
) -> None:
    async with scene.login(BROWSER="/nonexistent/browser") as person:
        await person.says("No browser could be opened")
        await browse(await person.address())
        assert (await person.ended()).code == 0


async def test_a_running_sidecar_takes_the_login_up_by_itself(scene: Scene) -> None:
    scene.write()
    async with (
        running(scene.home / "token-sidecar.yaml", scene.home, environ=scene.environ) as sidecar,
        aiohttp.ClientSession() as client,
    ):
        await sidecar.says("login needed")

        async def served() -> bool:
            async with client.get(f"http://{scene.data}/") as answer:
                return answer.status == 200

        async with client.get(f"http://{scene.data}/") as answer:
            assert answer.status == 503
            assert "token-sidecar login mine" in await answer.text()
        await scene.logged_in()
        await until(served, what="the API's answer")

        async def refused() -> bool:
            return not await served()

        assert (await scene.run("logout", "mine")).code == 0
        await until(refused, what="the end of what was logged out")
    assert "refresh_token" not in scene.provider.grants


async def test_a_fixed_redirect_elsewhere_is_pasted(scene: Scene) -> None:
    scene.more = f"redirect_uri: {ELSEWHERE}"
    async with scene.login("--json") as person:
        url = await person.address()
        assert sent_with(url)["redirect_uri"] == ELSEWHERE
        await person.paste("nonsense of the person")
        await person.says("that is no address")
        await person.paste(await redirect_of(url))
        done = await person.ended()
    assert done.code == 0
    said = json.loads(done.out)
    assert (said["ok"], said["credential"], said["renews"]) == (True, "mine", True)
    assert scene.provider.requests[0].form["redirect_uri"] == ELSEWHERE


async def test_a_bare_code_is_pasted(scene: Scene) -> None:
    async with scene.login("--paste") as person:
        place = await redirect_of(await person.address())
        await person.paste(sent_with(place)["code"])
        assert (await person.ended()).code == 0


async def test_another_device_lets_in(scene: Scene) -> None:
    scene.grant = "device_code"
    scene.people.device |= {"interval": 1}
    async with scene.login() as person:
        await person.says("WDJB-MJHT")
        assert scene.provider.issuer + "/device" in person.err
        scene.people.approve()
        done = await person.ended()
    assert done.code == 0
    assert "\x1b" not in done.err + done.out
    assert "the-device-code" not in done.err + done.out


async def test_a_login_that_can_not_be_renewed_is_told(scene: Scene) -> None:
    scene.provider.refresh_lifetime = None
    async with scene.login("--no-browser") as person:
        await browse(await person.address())
        done = await person.ended()
    assert done.code == 0
    assert "can't be renewed" in done.out
    assert "offline_access" in done.err


async def test_every_failed_login_leaves_what_was_kept(scene: Scene) -> None:
    await scene.logged_in()
    scene.people.decision = "access_denied"
    async with scene.login("--no-browser", "--json") as person:
        status, text = await browse(await person.address())
        denied = await person.ended()
    assert denied.code == 3
    assert status == 400
    assert "log in again and accept" in denied.err
    assert json.loads(denied.out)["reason"] == "denied"
    assert "log in again and accept" in text

    async with scene.login("--no-browser", "--timeout", "50ms") as person:
        nobody = await person.ended()
    assert nobody.code == 1
    assert "nobody came back" in nobody.err

    async with scene.login("--no-browser") as person:
        await person.address()
        person.process.send_signal(signal.SIGINT)
        cancelled = await person.ended()
    assert cancelled.code == 130
    assert "cancelled" in cancelled.err
    assert "Traceback" not in cancelled.err

    scene.people.decision = None
    scene.provider.script.append(Reply(200, "<html>"))
    async with scene.login("--no-browser") as person:
        await browse(await person.address())
        odd = await person.ended()
    assert odd.code == 4
    assert "a web page" in odd.err

    done = await scene.run("logout", "mine")
    assert done.code == 0
    assert scene.people.revoked[0] == ("refresh-2", "refresh_token")


async def test_a_port_that_is_taken_is_told_at_once(scene: Scene) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        scene.more = f"redirect_port: {other.getsockname()[1]}"
        done = await scene.run("login", "mine", "--no-browser")
    assert done.code == 1
    assert "redirect_port" in done.err
    assert "in use" in done.err


async def test_a_provider_that_is_down_is_told_before_anybody_is_asked(scene: Scene) -> None:
    scene.write()
    await scene.provider.stop()
    done = await command("login", "mine", home=scene.home, environ=scene.environ)
    assert done.code == 4
    assert "http" not in done.out


async def test_logging_out_revokes_forgets_and_tells(scene: Scene) -> None:
    await scene.logged_in()
    done = await scene.run("logout", "mine")
    assert done.code == 0
    assert done.out == "mine: logged out; revoked and forgotten: refresh_token, access_token\n"
    assert [hint for _, hint in scene.people.revoked] == ["refresh_token", "access_token"]
    again = await scene.run("logout", "mine")
    assert (again.code, again.out) == (0, "mine: nothing was kept\n")


async def test_a_check_looks_a_login_up_and_leaves_it_as_it_is(scene: Scene) -> None:
    done = await scene.run("check", "--online")
    assert done.code == 0
    assert "mine: login needed: nobody has logged in yet" in done.err
    assert "run `token-sidecar login mine`" in done.err
    assert not (scene.home / "tokens").exists()
    await scene.logged_in()
    asked = scene.provider.asked
    done = await scene.run("check", "--online")
    assert (done.code, done.err) == (0, "")
    assert re.search("^mine: access_token, 60 s, stored, [0-9]+ s left$", done.out, re.MULTILINE)
    assert scene.provider.asked == asked + 1, "the robot's"


async def test_a_check_spends_no_refresh_token_that_is_stored(scene: Scene) -> None:
    scene.provider.lifetime = 2
    await scene.logged_in()

    async def ended() -> bool:
        return "stored" not in (await scene.run("check", "--online")).out

    await until(ended, what="the token's end")
    done = await scene.run("check", "--online", "--json")
    assert (done.code, json.loads(done.out)["credentials"]["mine"]["reason"]) == (0, "not_asked")
    assert "mine: its token has ended, and what is stored to renew it" in done.err
    assert {asked.grant for asked in scene.provider.requests} == {
        "authorization_code",
        "client_credentials",
    }


async def test_logging_out_forgets_even_where_the_provider_does_not(scene: Scene) -> None:
    await scene.logged_in()
    scene.people.revocation_replies.append(Reply(503, b""))
    done = await scene.run("logout", "mine", "--json")
    assert done.code == 4
    assert "may live on" in done.err
    said = json.loads(done.out)
    assert (said["ok"], said["kept"], said["revoked"]) == (False, True, [])
    assert (await scene.run("logout", "mine")).out == "mine: nothing was kept\n"


async def test_what_logs_in_by_itself_needs_nobody(scene: Scene) -> None:
    done = await scene.run("login", "robot")
    assert done.code == 0
    assert "no login is needed" in done.out


async def test_a_name_that_is_not_there_is_told_with_the_nearest(scene: Scene) -> None:
    done = await scene.run("login", "mime")
    assert done.code == 2
    assert "did you mean mine?" in done.err
    assert (await scene.run("logout", "nobody")).code == 2


async def test_tokens_in_memory_alone_are_nothing_to_log_in_for(scene: Scene) -> None:
    scene.store = ""
    done = await scene.run("login", "mine")
    assert done.code == 2
    assert "store: {file:" in done.err.replace("`", "")


async def test_a_secret_that_is_missing_is_told_before_anybody_is_asked(scene: Scene) -> None:
    scene.write()
    done = await command("login", "mine", home=scene.home)
    assert done.code == 2
    assert "SECRET is not set" in done.err
    assert scene.people.authorizations == []
    await asyncio.sleep(0)
