"""The server's process: how it begins, that it doesn't freeze, and that it ends when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit import cli_util, config
from streamlit.starlette import App
from streamlit.web.server import server_util

from soundalike.asgi import process
from soundalike.ui.middleware import first_page


@asynccontextmanager
async def lifespan(_: App) -> AsyncIterator[None]:
    """What the server does besides Streamlit's own part, from its start to its end."""
    if not config.get_option("server.headless"):
        # `streamlit run` opens a browser for a script, but not for an app.
        url = server_util.get_url(config.get_option("browser.serverAddress"))
        asyncio.get_running_loop().call_soon(cli_util.open_browser, url)
    first_page.prepare()
    async with process.watched():
        yield
