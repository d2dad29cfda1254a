"""Local time is UTC, so that clocks are the same everywhere; pauses are as short as can be, and
frames are drawn when a test looks."""

import os
import time

import pytest
from support.console_pilot import a_few_rounds, drawn_when_looked_at


@pytest.fixture(autouse=True, scope="session")
def _utc():
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    if hasattr(time, "tzset"):
        time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.fixture(autouse=True)
def _quick_console(monkeypatch):
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", a_few_rounds)
    monkeypatch.setattr("textual._compositor.Compositor.render_update", drawn_when_looked_at)
