"""Serving a library: the socket, the networks, and uvicorn."""

from __future__ import annotations

import errno
import gc
import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from soundalike import paths, system
from soundalike.audio import sandbox
from soundalike.errors import SoundalikeError, UnavailableError
from soundalike.index import index as indices
from soundalike.models import ModelStore, runtime
from soundalike.playlist import query
from soundalike.service.app import Service
from soundalike.service.library import Library
from soundalike.service.protocol import Protocol

BACKLOG = 2_048
"""Connections that may wait to be accepted."""
STOP_S = 2
"""Time that requests have to end by themselves when the server is told to stop."""


def serve(folder: Path, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve an index until a signal ends the process.

    Parameters
    ----------
    folder : the index
    host, port : where to listen; port 0 stands for any that is free
    announce : called with the address once requests are taken

    Raises
    ------
    IndexFolderError
        If the folder is no index, or a damaged one.
    UnavailableError
        If it cannot listen there.
    """
    listening = listen(host, port)
    with listening:
        index = indices.load(folder)
        runtime.lower_priority()
        base = ModelStore(factors=paths.factors_file(), light=system.is_small_host())
        models = index.models(base)
        service = Service(Library(index, models))
        _tune()
        _warm_up(models)
        announce(address_of(listening))
        _server(service).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises
    ------
    UnavailableError
        If another program has the port, or it may not be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is taken. Choose another one with --port."
        elif error.errno == errno.EACCES:
            message = f"Port {port} is reserved. Choose one above 1023 with --port."
        else:
            message = f"This machine has no address {host!r}. Choose another one with --host."
        raise UnavailableError(message) from error
    # Connections inherit it. An answer's body would wait 40 ms until the client has its headers.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def address_of(listening: socket.socket) -> str:
    """The address for clients on this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(service: Service) -> uvicorn.Server:
    # No access log: it would hold what clients look for.
    config = uvicorn.Config(
        service.app(),
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # It warns of each byte of a form that it did not expect.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    return uvicorn.Server(config)


def _tune() -> None:
    """Leave processors to other requests, return memory, and skip in collections what is imported."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, "blas")
    system.return_large_blocks()
    gc.collect()
    gc.freeze()


def _warm_up(models: ModelStore) -> None:
    """Load the networks in the background; not if `$SOUNDALIKE_WARM_UP` is 0 or memory is scarce."""
    if os.environ.get("SOUNDALIKE_WARM_UP") != "0" and not models.light:
        threading.Thread(target=_preload, args=(models,), daemon=True).start()


def _preload(models: ModelStore) -> None:
    # An error is told to the client that sends a clip.
    # A pool that refuses work belongs to a process that is ending.
    with suppress(SoundalikeError, RuntimeError):
        sandbox.warm()
        query.warm_up(models)
