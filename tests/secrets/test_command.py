"""Secrets that programs print: real programs, bounded in time and in size."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from proxy.config.model import CommandSecret, Position, SystemdSecret
from proxy.errors import SecretError, SecretUnavailableError
from proxy.secrets.command import LARGEST, CommandSource
from proxy.secrets.references import source

AT = Position("c.yaml", 1, 1)
ENVIRON = {"PATH": os.environ["PATH"], "OURS": "canary-of-ours"}


def shell(script: str, limit: float = 10.0) -> CommandSource:
    return CommandSource(["sh", "-c", script], ENVIRON, limit)


def refused(place: CommandSource) -> SecretError:
    with pytest.raises(SecretError) as caught:
        place.read()
    assert "canary" not in str(caught.value)
    return caught.value


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def soon_gone(pid: int) -> bool:
    end = time.monotonic() + 5.0
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return gone(pid)


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("printf s3cret", "s3cret"),
        ("echo s3cret", "s3cret"),
        ("printf 's3cret\\n\\n'", "s3cret\n"),
        ("printf 's3cret\\r\\n'", "s3cret"),
        ('echo "$OURS"', "canary-of-ours"),
        ("echo canary-of-a-complaint >&2; echo s3cret", "s3cret"),
        ("cat; echo s3cret", "s3cret"),
    ],
)
def test_what_it_prints_less_one_newline_is_the_secret(script: str, value: str) -> None:
    assert shell(script).read().reveal() == value


def test_no_shell_reads_the_arguments() -> None:
    place = source(CommandSecret(("echo", "$HOME `id` ; x"), AT), ENVIRON)
    assert place.read().reveal() == "$HOME `id` ; x"
    assert place.warnings() == ()


def test_nothing_of_our_environment_goes_along_but_what_we_were_given() -> None:
    printed = CommandSource(["env"], {"PATH": ENVIRON["PATH"]}).read().reveal()
    assert printed.split("=")[0] == "PATH"


def test_one_that_hangs_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    place = shell(f"sleep 600 & echo $! > {pids}; echo canary; echo $$ >> {pids}; wait", 0.5)
    began = time.monotonic()
    error = refused(place)
    assert time.monotonic() - began < 5.0
    assert isinstance(error, SecretUnavailableError)
    assert "the command sh did not end within 0.5 s and was stopped" in str(error)
    for pid in pids.read_text().split():
        assert soon_gone(int(pid))


def test_one_that_prints_ten_megabytes_is_stopped(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    error = refused(shell(f"echo $$ > {pid}; yes canary | head -c 10000000; sleep 600"))
    assert f"more than {LARGEST} bytes and was stopped" in str(error)
    assert soon_gone(int(pid.read_text()))


def test_as_much_as_is_allowed_is_read_whole() -> None:
    script = f"import sys; sys.stdout.write('x' * {LARGEST})"
    assert len(CommandSource([sys.executable, "-c", script], ENVIRON).read().reveal()) == LARGEST


def test_what_it_leaves_behind_in_its_group_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    place = shell(f"sleep 600 & echo $! > {pid}; echo s3cret")
    assert place.read().reveal() == "s3cret"
    assert soon_gone(int(pid.read_text()))


def test_a_child_that_keeps_the_pipe_open_elsewhere_holds_nobody_up() -> None:
    began = time.monotonic()
    assert shell("setsid sleep 3 & echo s3cret").read().reveal() == "s3cret"
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo canary; exit 3", "sh ended with 3; run it by hand"),
        ("kill -TERM $$", "sh was ended by signal 15"),
    ],
)
def test_one_that_fails_may_work_later(script: str, expected: str) -> None:
    error = refused(shell(script))
    assert isinstance(error, SecretUnavailableError)
    assert expected in str(error)


def test_what_can_never_work_is_no_passing_fault(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("canary")
    for place, expected in (
        (CommandSource(["no-such-program"], ENVIRON), "does not exist; install it"),
        (CommandSource([str(tmp_path / "plain")], ENVIRON), "may not be run by us"),
        (shell("true"), "printed nothing"),
        (shell("printf '\\377canary'"), "is not UTF-8 text"),
    ):
        error = refused(place)
        assert not isinstance(error, SecretUnavailableError)
        assert expected in str(error)


def test_a_credential_of_systemd_is_a_file_in_its_directory(tmp_path: Path) -> None:
    (tmp_path / "api").write_text("s3cret\n")
    (tmp_path / "api").chmod(0o440)
    place = source(SystemdSecret("api", AT), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert place.read().reveal() == "s3cret"
    assert place.warnings() == ()


@pytest.mark.parametrize("environ", [{}, {"CREDENTIALS_DIRECTORY": "/nowhere"}])
def test_a_credential_that_systemd_does_not_pass_on_is_told(environ: dict[str, str]) -> None:
    with pytest.raises(SecretError, match="set LoadCredential=api:/path in the unit"):
        source(SystemdSecret("api", AT), environ).read()
