"""What the app's server does at its start."""

from __future__ import annotations

import asyncio

import pytest
from asgi import run

from soundalike.ui.middleware import process


@pytest.mark.parametrize("headless", [True, False])
def test_a_browser_is_opened_where_there_is_one(headless: bool, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr(process.cli_util, "open_browser", opened.append)
    options = {
        "server.headless": headless,
        "browser.serverAddress": "localhost",
        "browser.serverPort": 8501,
    }
    monkeypatch.setattr(process.config, "get_option", lambda name: options.get(name, ""))

    async def live() -> None:
        async with process.lifespan(None):
            await asyncio.sleep(0)

    run(live())
    assert opened == ([] if headless else ["http://localhost:8501"])
