"""``init`` as a process, with a person at a terminal and with nobody."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.config.model import Grant
from tests.support.identity_provider import IdentityProvider

CANARY = "Kanarien-v0gel"
PROGRAM = (sys.executable, "-m", "proxy", "init")
ROOT = Path(__file__).parents[2]


def environ(directory: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(ROOT)}


def at_a_terminal(directory: Path, *answers: str) -> tuple[int, str]:
    """The exit code and what the terminal showed, after ``answers`` to the questions in turn."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        PROGRAM, cwd=directory, env=environ(directory), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    waiting = [answer.encode() for answer in answers]
    try:
        while piece := _read(ours):
            shown += piece
            if waiting and shown.endswith((b": ", b"empty line:\r\n")):
                os.write(ours, waiting.pop(0) + b"\n")
        return process.wait(timeout=60), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says so when the other side is gone
        return b""


def test_a_person_at_a_terminal_is_asked_for_all_of_it(tmp_path: Path) -> None:
    code, shown = at_a_terminal(
        tmp_path, "wallaroo", "wallaroo.dev", "a-5", CANARY, "mary", CANARY, ""
    )
    assert code == 0, shown
    assert CANARY not in shown
    file = tmp_path / "token-sidecar.yaml"
    found = load(file, {"HOME": str(tmp_path)}).credentials["wallaroo"]
    assert (found.grant, found.username) == (Grant.PASSWORD, "mary")
    assert CANARY not in file.read_text()
    kept = sorted((tmp_path / "token-sidecar.secrets").iterdir())
    assert [one.read_text() for one in kept] == [f"{CANARY}\n"] * 2


CURL = f"curl https://i.example.com/token -u me:{CANARY} -d grant_type=client_credentials"


@pytest.mark.parametrize("end", ["\n", "\n\x04"])
def test_a_person_pastes_a_curl_command(tmp_path: Path, end: str) -> None:
    code, shown = at_a_terminal(tmp_path, "curl", f"{CURL}{end}", "https://api.example.com/")
    assert code == 0, shown
    found = load(tmp_path / "token-sidecar.yaml", {"HOME": str(tmp_path)}).credentials["api"]
    assert found.client_id == "me"


def test_a_person_chooses_by_number(tmp_path: Path) -> None:
    code, shown = at_a_terminal(tmp_path, "99", "7", "https://k.example.com/", "me", CANARY, "")
    assert code == 0, shown
    assert CANARY not in shown
    found = load(tmp_path / "token-sidecar.yaml", {"HOME": str(tmp_path)}).credentials["kubeflow"]
    assert found.grant is Grant.SESSION


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "--preset", "kubeflow"],
        cwd=tmp_path,
        env=environ(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "token-sidecar: url is missing (the page that leads to the login), and there is no "
        "terminal to ask at: give --set url=…\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_right_to_check(tmp_path: Path) -> None:
    arguments = ("--curl", "-", "--upstream", "https://api.example.com/")
    for command in ([*PROGRAM, *arguments], [*PROGRAM[:-1], "check"]):
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environ(tmp_path),
            input=CURL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert CANARY not in done.stdout + done.stderr
    assert done.stdout == "token-sidecar.yaml: right; credentials: 1, routes: 1\n"


async def asked(directory: Path, *arguments: str) -> tuple[int | None, str]:
    """The exit code and what was said on stderr."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        cwd=directory,
        env=environ(directory),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, said.decode()


FLAGS = ("--upstream", "https://api.example.com/", "--set", "client_id=me")


async def test_an_issuer_is_asked_which_grants_it_has(tmp_path: Path) -> None:
    async with IdentityProvider() as provider:
        code, said = await asked(tmp_path, "--issuer", provider.issuer, *FLAGS)
        assert code == 2
        assert "give --set grant=…; there are client_credentials, password, " in said
        code, said = await asked(
            tmp_path, "--issuer", provider.issuer, *FLAGS, "--set", "grant=refresh_token",
            "--secret", "refresh_token=env:R",
        )  # fmt: skip
        assert (code, said) == (0, "environment variable R is not set yet: export it\n")
        assert provider.asked == 0


async def test_an_issuer_that_is_not_there_is_told_and_need_not_be_asked(tmp_path: Path) -> None:
    async with IdentityProvider() as provider:
        issuer = provider.issuer
    flags = ("--issuer", issuer, *FLAGS, "--set", "grant=device_code")
    code, said = await asked(tmp_path, *flags)
    assert code == 4
    assert "refused" in said
    assert not (tmp_path / "token-sidecar.yaml").exists()
    assert (await asked(tmp_path, *flags, "--offline"))[0] == 0


async def test_an_issuer_that_is_none_is_told(tmp_path: Path) -> None:
    async with IdentityProvider() as provider:
        code, said = await asked(tmp_path, "--issuer", f"{provider.issuer}/no", *FLAGS)
    assert code == 3
    assert "404" in said
