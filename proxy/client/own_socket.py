"""Where the sidecar's own Unix socket is, by which the commands find the running process.

It follows from the configuration file's path alone, so that neither side asks the other, and costs
next to nothing to know.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

DEFAULT_STATE_DIR: Final = ".local/state/token-sidecar"
"""Below the home directory; the default of ``state_dir``."""


def own_socket(config: Path, environ: Mapping[str, str], state_dir: Path) -> Path:
    """The socket of the sidecar that runs with ``config``.

    The path is made absolute but links in it are kept: Kubernetes swaps the link behind a
    mounted file at each change, and the name has to stay.
    """
    named = hashlib.sha256(os.path.abspath(config).encode("utf-8", "surrogateescape"))  # noqa: PTH100 - resolve() follows links
    return socket_directory(environ, state_dir) / f"{named.hexdigest()[:20]}.sock"


def socket_directory(environ: Mapping[str, str], state_dir: Path) -> Path:
    """``$XDG_RUNTIME_DIR/token-sidecar``; where there is none, ``run`` in the state directory.

    A directory of its own in both cases: a mounted state directory is often open to a group.
    """
    runtime = Path(environ.get("XDG_RUNTIME_DIR", ""))
    return runtime / "token-sidecar" if runtime.is_absolute() else state_dir / "run"
