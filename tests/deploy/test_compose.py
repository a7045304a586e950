"""The compose file: right by its schema, hardened, and its parts work together."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

from tests.deploy.composed import FOLDER, INSIDE, keycloak, services
from tests.support.process import free_ports, running

COMPOSE = FOLDER / "compose.yaml"
SECRET = "/run/secrets/client-secret"


def test_it_is_right_by_the_compose_specification() -> None:
    schema = Draft7Validator(json.loads(Path(os.environ["COMPOSE_SPEC"]).read_text()))
    file = yaml.safe_load(COMPOSE.read_text())
    assert not [f"{one.json_path}: {one.message}" for one in schema.iter_errors(file)]
    file["services"]["program"]["networkmode"] = "host"
    assert list(schema.iter_errors(file))


def test_compose_reads_it() -> None:
    program = Path(sys.executable).parent / "podman-compose"
    read = subprocess.run(
        [program, "--file", COMPOSE, "config"], check=True, capture_output=True, text=True
    )
    assert yaml.safe_load(read.stdout)["services"].keys() == services().keys()


def test_what_it_mounts_is_there() -> None:
    file = yaml.safe_load(COMPOSE.read_text())
    mounted = [one.split(":")[0] for each in services().values() for one in each.get("volumes", ())]
    for one in (*mounted, *(secret["file"] for secret in file["secrets"].values())):
        assert (FOLDER / one).exists(), one


def test_our_two_containers_may_do_nothing_they_need_not() -> None:
    for name in ("token-sidecar", "program"):
        service = services()[name]
        assert service["user"] == "65532:65532"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "ports" not in service


async def test_the_program_gets_its_answers_from_the_imported_realm(tmp_path: Path) -> None:
    port, admin = free_ports(2)
    home = tmp_path / "sidecar"
    home.mkdir()
    secret = home / "client-secret"
    secret.write_text((FOLDER / "demo-client-secret.txt").read_text())
    secret.chmod(0o400)
    written = (FOLDER / "sidecar/config.yaml").read_text()
    listeners = f"listen: 127.0.0.1:{port}\nadmin: 127.0.0.1:{admin}\n"
    async with keycloak(tmp_path) as base:
        config = listeners + written.replace(INSIDE, base).replace(SECRET, str(secret)).replace(
            "/run/token-sidecar", str(home)
        )
        async with running(config, home, admin=f"127.0.0.1:{admin}") as sidecar:
            await sidecar.ready()
            _, *command = services()["program"]["command"]
            asked = await asyncio.create_subprocess_exec(
                *(sys.executable, command[0], FOLDER / command[1].lstrip("/"), "2"),
                env={"API": f"http://127.0.0.1:{port}", "PATH": os.environ["PATH"]},
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await asyncio.wait_for(asked.communicate(), 120)
            assert said.splitlines() == [b"200 service-account-reports"] * 2
            assert await sidecar.stop() == 0
