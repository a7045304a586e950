from __future__ import annotations

import base64
import hashlib
import re

import aiohttp
import pytest

from proxy.control.meanings import MEANINGS
from proxy.control.snapshot import SecretStatus
from proxy.control.status_page import PARTS, SCRIPTS
from proxy.errors import Explanation
from proxy.plane.totals import AccessRecord
from proxy.tokens.status import LastError
from tests.control.conftest import Control, snapshot, status, totals

HOSTILE = "</noscript></script><img src=x onerror=alert(1)>&\"'"


async def page(control: Control, client: aiohttp.ClientSession) -> tuple[str, dict[str, str]]:
    answer = await client.get(control.admin + "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        one.split(" ", 1) for one in answer.headers["Content-Security-Policy"].split("; ")
    )
    return await answer.text(), policy


def inside(text: str, tag: str) -> str:
    found = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def hashed(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


async def test_nothing_but_its_own_script_and_style_can_run_in_it(
    control: Control, client: aiohttp.ClientSession
) -> None:
    text, policy = await page(control, client)
    assert policy == {
        "default-src": "'none'",
        "script-src": hashed(inside(text, "script")),
        "style-src": hashed(inside(text, "style")),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


async def test_no_site_can_frame_it_guess_its_type_learn_where_it_was_or_keep_it(
    control: Control, client: aiohttp.ClientSession
) -> None:
    headers = (await client.get(control.admin + "/")).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


async def test_it_names_no_other_place_and_has_no_handler_in_its_text(
    control: Control, client: aiohttp.ClientSession
) -> None:
    text, _ = await page(control, client)
    assert set(re.findall(r"https?://[^\s'\"<`]+", text)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"(?:src|href)=\"([^\"]*)\"", text)) == {
        *("data:,", "/v1/status", "/metrics"),
        *("#main", "#credentials-title", "#routes-title", "#further-title"),
    }
    assert not re.search(r"\son\w+=|\sstyle=|innerHTML|outerHTML|document\.write|eval\(", text)


def test_every_script_is_in_the_document_and_ends_none_early() -> None:
    assert {path.stem for path in PARTS.glob("*.js")} == set(SCRIPTS)
    for path in PARTS.glob("*.js"):
        text = path.read_text()
        assert "</script" not in text
        assert text.count("\n") <= 150


async def test_without_scripts_there_are_plain_tables(
    control: Control, client: aiohttp.ClientSession
) -> None:
    control.now = snapshot(
        credentials=(
            status("good"),
            status("bad", state="unavailable", failing_since=1_790_000_000.0),
        )
    )
    text, _ = await page(control, client)
    plain = text[text.rindex("<noscript>") :]
    assert "<h2>bad has no token: it did not answer within 10 s.</h2>" in plain
    assert "Since 2026-09-21 14:13:20 UTC. What to do: a firewall may swallow it" in plain
    rows = [re.findall(r">([^<>]+)<", row) for row in plain.split("</tr>")]
    assert [row[:4] for row in rows if row[:1] == ["good"]] == [["good", "valid", "42 s", "22 s"]]
    assert [row[:4] for row in rows if row[:1] == ["/infer/"]] == [["/infer/", "3", "1", "1"]]
    assert plain.index(">bad<") < plain.index(">good<")
    assert "Warning: config.yaml:3:5: verify: false" in plain


async def test_what_others_wrote_is_text_in_them(
    control: Control, client: aiohttp.ClientSession
) -> None:
    error = LastError("x", HOSTILE, 1.0, Explanation(HOSTILE, HOSTILE, HOSTILE))
    control.now = snapshot(
        credentials=(status(HOSTILE, state="refused", last_error=error),),
        routes={HOSTILE: totals()},
        warnings=(HOSTILE,),
        secrets=(SecretStatus(HOSTILE, "file", fault=HOSTILE),),
    )
    text, _ = await page(control, client)
    assert text.count("<img") == 0
    assert text.count("</noscript>") == 2
    assert text.count("</script>") == 1
    assert "&lt;img src=x" in text


@pytest.mark.parametrize("headers", [{"Origin": "https://a.example"}, {"Host": "a.example"}])
async def test_another_site_gets_no_page(
    control: Control, client: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    answer = await client.get(control.admin + "/", headers=headers)
    assert answer.status in {403, 421}


async def test_error_types_that_were_met_come_with_what_they_mean(
    control: Control, client: aiohttp.ClientSession
) -> None:
    sums = totals()
    sums.add(AccessRecord("GET", "/", 0, 0, 0, 1.0, error="client_gone"))
    control.now = snapshot(routes={"/": sums})
    said = (await (await client.get(control.admin + "/v1/status")).json())["error_meanings"]
    assert set(said) == {"proxy_internal_response", "client_gone"}
    assert said["client_gone"]["client"] is True
    assert said["proxy_internal_response"] == {
        "meaning": "there was no token yet",
        "advice": "see the credential above",
        "client": False,
    }


def test_whoever_must_act_is_told_what_to_do() -> None:
    assert all(one.client or one.advice for one in MEANINGS.values())


def test_every_error_type_of_the_data_plane_has_a_meaning() -> None:
    plane = PARTS.parents[1] / "plane"
    source = "".join(path.read_text() for path in plane.glob("*.py"))
    used = set(re.findall(r'Problem\(\s*\d+,\s*"(\w+)"', source))
    assert len(used) > 10
    assert used - set(MEANINGS) == set()
