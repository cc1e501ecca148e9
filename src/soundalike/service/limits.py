"""What stands in front of all endpoints: the pace of an address, headers, and the last resort."""

from __future__ import annotations

import asyncio
import logging
import traceback

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.asgi.addresses import Addresses
from soundalike.service import problems
from soundalike.service.problems import INTERNAL, TOO_MANY, ProblemError

_LOG = logging.getLogger(__name__)
PATIENCE_S = 10.0
"""Time that a request waits because its address has sent many; beyond that it is refused."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Limits:
    """ASGI middleware; see the module.

    Parameters
    ----------
    app : what it stands in front of
    addresses : what is remembered of addresses
    """

    def __init__(self, app: ASGIApp, addresses: Addresses) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await self._wait(scope)
            await self._app(scope, receive, send_with_headers)
        except ProblemError as problem:
            await problem.response()(scope, receive, send_with_headers)
        except asyncio.CancelledError:
            # Uvicorn cancels what has not ended in time when the server stops.
            if not begun:
                await problems.stopping().response()(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001
            log(error)
            if not begun:
                failed = ProblemError(INTERNAL, "The server failed at this request. Try another one.")
                await failed.response()(scope, receive, send_with_headers)

    async def _wait(self, scope: Scope) -> None:
        bucket = self._addresses.of(scope).messages
        wait_s = bucket.take()
        if wait_s > PATIENCE_S:
            bucket.take(-1.0)
            raise ProblemError(
                TOO_MANY,
                f"Send fewer requests, and the next one in {PATIENCE_S:.0f} seconds.",
                {"Retry-After": f"{PATIENCE_S:.0f}"},
            )
        await asyncio.sleep(wait_s)


def log(error: BaseException) -> None:
    """Log where an error happened, without its message, which may hold a part of a client's clip."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("%s while answering a request:\n%s", type(error).__name__, where)
    if error.__cause__ is not None:
        log(error.__cause__)
