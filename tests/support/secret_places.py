"""Places where a secret stands that changes while a sidecar runs, each as people change it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from tests.support.vault import ROOT, Vault

RING = "tests.support.file_ring.FileRing"


class Place(Protocol):
    """One place.

    Attributes:
        written: how the configuration names it, for ``client_secret`` or ``token``; empty for a
            ``credentials_file``, which is named by ``key``.
        section: what the configuration says besides.
        environ: what the process needs to find it.
    """

    written: str
    section: str
    environ: dict[str, str]

    def put(self, secret: str) -> None:
        """Have this secret there from now on."""

    @property
    def key(self) -> str:
        """The credential's line that names it as its client's secret."""


class Plain:
    """What most have in common."""

    written = ""
    section = ""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"client_secret: {self.written}"


class InPlace(Plain):
    """A file that is written anew where it is."""

    written = "{file: secret}"

    def put(self, secret: str) -> None:
        file = self.home / "secret"
        file.touch(0o600)
        file.write_text(secret + "\n")


class Renamed(Plain):
    """A file that an editor replaces by another."""

    written = "{file: secret}"

    def put(self, secret: str) -> None:
        draft = self.home / ".secret.swp"
        draft.touch(0o600)
        draft.write_text(secret + "\n")
        draft.replace(self.home / "secret")


class Mounted(Plain):
    """A Kubernetes volume: the ``..data`` link is swapped for one to a new directory."""

    written = "{file: mount/secret}"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.count = 0
        (home / "mount").mkdir()
        (home / "mount" / "secret").symlink_to("..data/secret")

    def put(self, secret: str) -> None:
        mount, self.count = self.home / "mount", self.count + 1
        version = mount / f"..{self.count}"
        version.mkdir()
        (version / "secret").write_text(secret)
        link = mount / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(mount / "..data")
        before = mount / f"..{self.count - 1}"
        if before.exists():
            (before / "secret").unlink()
            before.rmdir()


class Csv(Plain):
    """A downloaded csv with a header row."""

    name = "client.csv"

    def __init__(self, home: Path, client: str = "api-client") -> None:
        super().__init__(home)
        self.client = client

    @property
    def key(self) -> str:
        return f"credentials_file: {self.name}"

    def text(self, secret: str) -> str:
        return f"client_id,client_secret\n{self.client},{secret}\n"

    def put(self, secret: str) -> None:
        draft = self.home / "draft"
        draft.touch(0o600)
        draft.write_text(self.text(secret))
        draft.replace(self.home / self.name)


class Ini(Csv):
    """An ini with a section for the client."""

    name = "client.ini"

    def text(self, secret: str) -> str:
        return f"[api]\nclient_id = {self.client}\nclient_secret = {secret}\n"


class Ring(Plain):
    """A keyring."""

    written = "{keyring: api/client, every: 1s}"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.environ = {"PYTHON_KEYRING_BACKEND": RING, "FILE_RING": str(home / "ring.json")}

    def put(self, secret: str) -> None:
        draft = self.home / "ring.new"
        draft.write_text(json.dumps({"api/client": secret}))
        draft.replace(self.home / "ring.json")


class Command(Plain):
    """A program that prints it."""

    written = "{command: [cat, shown], every: 1s}"

    def put(self, secret: str) -> None:
        draft = self.home / "shown.new"
        draft.write_text(secret + "\n")
        draft.replace(self.home / "shown")


class InVault(Plain):
    """A field in Vault."""

    written = "{vault: secret/api#client, every: 1s}"

    def __init__(self, home: Path, vault: Vault) -> None:
        super().__init__(home)
        self.vault = vault
        if "secret/" not in vault.mounts:
            vault.kv("secret")
        self.environ = {"VAULT_TOKEN": ROOT}
        self.section = f"vault: {{address: '{vault.url}', auth: {{token: {{env: VAULT_TOKEN}}}}}}"

    def put(self, secret: str) -> None:
        self.vault.put("secret/api", client=secret)


FILES = {"file": InPlace, "rename": Renamed, "data": Mounted}
EVERY = FILES | {"csv": Csv, "ini": Ini, "keyring": Ring, "command": Command, "vault": InVault}


def placed(name: str, home: Path, vault: Vault, client: str = "api-client") -> Place:
    """The place of this name, empty still, for the secret of ``client``."""
    if name == "vault":
        return InVault(home, vault)
    kind = EVERY[name]
    return kind(home, client) if issubclass(kind, Csv) else kind(home)
