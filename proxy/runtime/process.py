"""The program ``run``: hardened first, then the configuration, then everything else.

Imports as little as it can until the configuration is known to be right.
"""

from __future__ import annotations

import os
import signal
from collections.abc import MutableMapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from proxy.runtime.hardening import forbid_dumps, steady_memory, take_descriptors
from proxy.runtime.reading import Reading

ENDING: Final = (signal.SIGTERM, signal.SIGINT)

if TYPE_CHECKING:
    from proxy.runtime.inherited import Inherited
    from proxy.runtime.notifying import Notifier


def serve(path: Path, environ: MutableMapping[str, str], stream: TextIO) -> int:
    """Run the sidecar until a signal ends it; the exit code.

    What ``environ`` says of a service manager is for this process alone and is taken out of it.

    Raises:
        ConfigurationError: the configuration can't be used; nothing was started.
        StartError: an address can't be listened on; nothing was started.
    """
    forbid_dumps()
    steady_memory()
    take_descriptors()
    if hasattr(signal, "SIGHUP"):
        # Asking for a reload before there is anything to reload must not end the process.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in ENDING:
        # Heeded even as the first process of a container, which no signal ends by itself.
        signal.signal(number, _end_at_once)
    inherited, notifier = _inherited(environ), _notifier(environ)
    reading = Reading(path, environ)
    # Imported while another process reads the file, and not at all if that finds mistakes first.
    from proxy.plane.loop import run  # noqa: PLC0415
    from proxy.runtime.life import Origins, live  # noqa: PLC0415
    from proxy.runtime.log import Log  # noqa: PLC0415

    config = reading.result()
    log = Log(stream, form=config.log.format, level=config.log.level)
    code = run(live(Origins(config, reading.stamp, environ, inherited, notifier), log))
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # the interpreter, on its way out, heeds no other
    return code


def _end_at_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """Nothing has begun that would have to be ended in order."""
    os._exit(0)


def _notifier(environ: MutableMapping[str, str]) -> Notifier | None:
    if "NOTIFY_SOCKET" not in environ:
        return None
    from proxy.clock import SystemClock  # noqa: PLC0415 - seldom wanted
    from proxy.runtime.notifying import take_notifier  # noqa: PLC0415 - seldom wanted

    return take_notifier(environ, os.getpid(), SystemClock())


def _inherited(environ: MutableMapping[str, str]) -> tuple[Inherited, ...]:
    if "LISTEN_FDS" not in environ:
        return ()
    from proxy.runtime.inherited import take_inherited  # noqa: PLC0415 - seldom wanted

    return take_inherited(environ, os.getpid())
