"""The ASGI app that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive

from soundalike import fair_queue
from soundalike.asgi import process
from soundalike.asgi.addresses import Addresses, name_of
from soundalike.audio import sandbox
from soundalike.errors import SoundalikeError
from soundalike.service import endpoints, openapi, parameters, problems
from soundalike.service.endpoints import Endpoint
from soundalike.service.library import Call, Document, LeftError, Library
from soundalike.service.limits import Limits
from soundalike.service.problems import METHOD, UNKNOWN_PATH, ProblemError
from soundalike.service.uploads import Uploads

THREADS = 3 * fair_queue.LONGEST + sandbox.COUNT + 16
"""Enough for what may wait in the three queues and what is being worked on."""


class Service:
    """Answers requests about a library.

    Parameters
    ----------
    library : what is asked
    """

    def __init__(self, library: Library) -> None:
        self.addresses = Addresses()
        self.endpoints = endpoints.of(library)
        self._document = openapi.document(self.endpoints)
        self._uploads = Uploads(self.addresses)
        self._threads = ThreadPoolExecutor(THREADS, "request")
        self._stopping: Callable[[], bool] = lambda: False

    def app(self) -> Starlette:
        """The ASGI app."""
        by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self.endpoints:
            by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        routes = [
            # An ID may have slashes.
            Route(path.replace("{id}", "{id:path}"), self._handler(methods), methods=list(methods))
            for path, methods in by_path.items()
        ]
        app = Starlette(
            routes=[*routes, Route(openapi.PATH, self._describe_itself)],
            middleware=[Middleware(Limits, self.addresses)],
            exception_handlers={
                HTTPException: _not_here,
                ProblemError: _problem,
                SoundalikeError: _our_error,
                LeftError: _stopped,
            },
            lifespan=self._lifespan,
        )
        app.router.redirect_slashes = False
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with process.watched() as stopping:
            self._stopping = stopping.is_set
            yield
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _describe_itself(self, request: Request) -> Response:
        return problems.json_response(self._document)

    def _handler(self, methods: Mapping[str, Endpoint]) -> Callable[[Request], Any]:
        """Answers at a path, which has an endpoint for each method."""

        async def handle(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            return await self._answer(request, methods[method])

        return handle

    async def _answer(self, request: Request, endpoint: Endpoint) -> Response:
        values = parameters.read(
            endpoint.parameters, request.query_params.multi_items(), request.path_params
        )
        call = Call(values, name_of(request.scope), is_stopping=self._stopping)
        if endpoint.is_quick:
            return problems.json_response(endpoint.work(call))
        if not endpoint.takes_clip:
            return problems.json_response(await self._in_thread(request, endpoint, call))
        async with self._uploads.received(request) as call.content:
            return problems.json_response(await self._in_thread(request, endpoint, call))

    async def _in_thread(self, request: Request, endpoint: Endpoint, call: Call) -> Document:
        leaving = asyncio.create_task(_notice_leaving(request.receive, call.has_left))
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, endpoint.work, call)
        finally:
            call.has_left.set()
            leaving.cancel()


async def _notice_leaving(receive: Receive, has_left: Event) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    has_left.set()


async def _not_here(request: Request, error: Exception) -> Response:
    """What Starlette's router does not find."""
    assert isinstance(error, HTTPException)
    where, advice = problems.quoted(request.url.path), f"GET {openapi.PATH} lists the endpoints."
    if error.status_code == METHOD.status:
        headers = dict(error.headers or {})
        detail = f"{where} takes {headers.get('Allow', 'GET')}. {advice}"
        return ProblemError(METHOD, detail, headers).response()
    return ProblemError(UNKNOWN_PATH, f"There is nothing at {where}. {advice}").response()


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def _our_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, SoundalikeError)
    return problems.of(error).response()


async def _stopped(_: Request, error: Exception) -> Response:
    return problems.stopping().response()
