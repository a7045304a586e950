from __future__ import annotations

import io
import sys

import pytest

from proxy.config.model import Tracing
from proxy.errors import StartError
from proxy.runtime.log import Log
from proxy.runtime.tracing.switch import turned_on


def test_nobody_follows_where_the_file_does_not_ask_for_it() -> None:
    assert turned_on(None, {}, Log(io.StringIO())) is None


def test_who_asks_for_it_without_the_extra_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "proxy.runtime.tracing.opening", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(StartError, match=r"pip install 'token-sidecar\[otel\]'"):
        turned_on(Tracing(), {}, Log(io.StringIO()))
