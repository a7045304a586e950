"""Whether anybody follows: OpenTelemetry is imported here, and only where the file asks for it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from proxy.config.model import Tracing
from proxy.errors import StartError
from proxy.runtime.log import Log
from proxy.runtime.tracing.ports import Followed


def turned_on(tracing: Tracing | None, environ: Mapping[str, str], log: Log) -> Followed | None:
    """What follows, as the file wants it; None where it wants nothing.

    Raises:
        StartError: it wants what is not installed.
    """
    if tracing is None:
        return None
    try:
        from proxy.runtime.tracing.opening import followed  # noqa: PLC0415 - see the first lines
    except ImportError as error:
        raise StartError(
            f"`tracing` needs the extra `otel` ({error.name} is missing):"
            " pip install 'token-sidecar[otel]'"
        ) from None
    return followed(tracing, environ, functools.partial(log.event, "warning", "tracing"))
