"""Who may import what: the layers inside ``proxy``, and where each library enters.

import-linter holds the layers (``pyproject.toml``). It sees a library as a whole, so the lines
below hold the rest: that a library, or a part of aiohttp, enters in the packages named here only,
and that no library enters without being named.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ENTERS = {
    "aiohappyeyeballs": {"plane"},
    "aiohttp": {"client", "net"},
    "aiohttp.typedefs": {"control"},
    "aiohttp.web": {"control", "demo"},
    "aiohttp.web_protocol": {"plane"},
    "aiohttp.web_runner": {"plane", "runtime"},
    "aiohttp.web_server": {"plane", "runtime"},
    "aiohttp.BodyPartReader": {"demo"},
    "anyio": {"client"},
    "authlib": {"oauth"},
    "click": {"cli"},
    "cryptography": {"doctor", "stores"},
    "httptools": {"http1"},
    "httpx": {"client"},
    "joserfc": {"demo", "oauth"},
    "keyring": {"secrets"},
    "opentelemetry": {"runtime"},
    "prometheus_client": {"control"},
    "pyarrow": {"demo"},
    "pydantic": {"config"},
    "pydantic_core": {"config"},
    "redis": {"stores"},
    "requests": {"client"},
    "rich": {"cli", "demo"},
    "segno": {"cli"},
    "uvloop": {"plane"},
    "yaml": {"config"},
    "yarl": {"net"},
}
"""A library, or a part of one that has rules of its own → the packages it enters in."""


def names(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that a module imports, or reaches through ``aiohttp.``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "aiohttp":
            yield f"aiohttp.{node.attr}"


def row(name: str) -> str | None:
    """The longest row of the table that covers this name."""
    parts = name.split(".")
    prefixes = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in ENTERS), None)


def imports(root: Path) -> Iterator[tuple[str, str]]:
    """(package under ``proxy``, third-party name) for every import below ``root``."""
    ours = sys.stdlib_module_names | {"proxy"}
    for file in sorted(root.rglob("*.py")):
        package = file.relative_to(root).parts[0].removesuffix(".py")
        for name in names(ast.parse(file.read_text())):
            if name.partition(".")[0] not in ours:
                yield package, name


def trespasses(root: Path) -> list[str]:
    """Every import that the table does not allow."""
    return [
        f"{package} imports {name}"
        for package, name in imports(root)
        if package not in ENTERS.get(row(name) or "", ())
    ]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    arguments = [program, "--config", REPOSITORY / "pyproject.toml", "--no-cache"]
    return subprocess.run(arguments, cwd=root, capture_output=True, text=True, check=False)


def test_packages_import_downwards_only() -> None:
    finished = lint_imports(REPOSITORY)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("errors.py", "import proxy.clock"),
        ("http1/fields.py", "from proxy.plane import settings"),
        ("net/carrier.py", "import proxy.idp"),
        ("control/probes.py", "import proxy.runtime"),
        ("client/source.py", "import proxy.plane.hosting"),
        ("client/in_process.py", "from proxy.control import lending"),
    ],
)
def test_an_import_that_goes_upwards_is_found(tmp_path: Path, module: str, line: str) -> None:
    shutil.copytree(REPOSITORY / "proxy", tmp_path / "proxy")
    with (tmp_path / "proxy" / module).open("a") as file:
        file.write(f"\n{line}\n")
    finished = lint_imports(tmp_path)
    assert finished.returncode == 1, finished.stdout
    assert f"proxy.{module.removesuffix('.py').replace('/', '.')} ->" in finished.stdout


def test_each_library_enters_where_the_table_says() -> None:
    assert trespasses(REPOSITORY / "proxy") == []


def test_the_table_names_no_library_that_is_gone() -> None:
    used = {row(name) for _, name in imports(REPOSITORY / "proxy")}
    assert set(ENTERS) - used == set()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("plane/x.py", "from aiohttp import web"),
        ("plane/x.py", "import aiohttp.web"),
        ("plane/x.py", "from aiohttp import ClientSession"),
        ("net/x.py", "import aiohttp\n\nrunner = aiohttp.web"),
        ("control/x.py", "from aiohttp.web_runner import TCPSite"),
        ("oauth/x.py", "def late():\n    import httptools"),
        ("tokens/x.py", "import requests"),
        ("clock.py", "import uvloop"),
    ],
)
def test_a_library_that_enters_elsewhere_is_found(tmp_path: Path, module: str, line: str) -> None:
    (tmp_path / module).parent.mkdir(exist_ok=True)
    (tmp_path / module).write_text(line)
    assert len(trespasses(tmp_path)) >= 1
