"""What holds for all tests: in CI none may be skipped, for a skipped test has shown nothing."""

from __future__ import annotations

import os
import signal

import pytest

# Who is started in the background by a shell, or by nohup, ignores it, and so does all that it
# starts: programs under test must feel it as at a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that skipped something."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "CI" in os.environ and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
