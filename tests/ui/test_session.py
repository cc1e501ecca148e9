"""What makes a server quick: garbage that is passed over, and one thread for linear algebra."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser
from threadpoolctl import threadpool_info, threadpool_limits

from soundalike.ui import server


def test_what_was_imported_is_spared_and_linear_algebra_keeps_to_one_thread() -> None:
    gc.unfreeze()
    server._tune_process.clear()
    with threadpool_limits(2, "blas"):
        server.tune_process()
        threads = {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}
    assert threads == {1}
    assert gc.get_freeze_count() > 10_000


def test_an_upload_is_received_in_memory() -> None:
    server._tune_process.clear()
    server.tune_process()
    boundary, content = b"boundary", bytes(20 * 2**20)
    body = b"--%s\r\nContent-Disposition: form-data; name=f; filename=f.wav\r\n\r\n%s\r\n--%s--\r\n"

    async def parts() -> AsyncIterator[bytes]:
        yield body % (boundary, content, boundary)

    headers = Headers({"content-type": "multipart/form-data; boundary=boundary"})
    with ThreadPoolExecutor(1) as aside:
        # A browser that another test has open keeps this thread's loop.
        form = aside.submit(asyncio.run, MultiPartParser(headers, parts()).parse()).result()
    received = form["f"]
    assert isinstance(received, UploadFile)
    assert received.size == len(content)
    assert received._in_memory


def test_garbage_that_was_passed_over_once_is_collected_later() -> None:
    class Session:
        def __init__(self) -> None:
            self.itself = self

    server._tune_process.clear()
    held = Session()
    ended = weakref.ref(held)
    server.tune_process()
    del held
    assert ended() is not None
    server.collect_all()
    assert ended() is None
