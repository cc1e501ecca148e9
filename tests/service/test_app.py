"""What happens when the server is busy, fails, or is told to stop."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from api_server import PATIENCE_S, in_thread, problem

from soundalike import paths
from soundalike.asgi import receiving
from soundalike.asgi.addresses import Address
from soundalike.audio import decoding, sandbox
from soundalike.errors import IndexFolderError
from soundalike.fair_queue import FairQueue
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import playlist
from soundalike.service import limits
from soundalike.service.app import Service
from soundalike.service.library import Library

CLIP = paths.LIBRARY / "clips" / "0102.opus"
SECRET = "a piece of somebody's clip"


@pytest.fixture
def library(bundled: Index, models: ModelStore) -> Library:
    return Library(bundled, models)


def get(address: str, path: str, **options: Any) -> requests.Response:
    return requests.get(f"{address}{path}", timeout=PATIENCE_S, **options)


def post(address: str, content: Any, **options: Any) -> requests.Response:
    return requests.post(f"{address}/recommend", data=content, timeout=PATIENCE_S, **options)


def test_a_full_queue_asks_to_come_back(library: Library) -> None:
    library._searches = library._networks = FairQueue(longest=0)
    with in_thread(Service(library)) as address:
        for answer in (get(address, "/tracks/0102"), post(address, CLIP.read_bytes())):
            assert "Try again" in problem(answer, 503, "busy")["detail"]
            assert int(answer.headers["retry-after"]) > 0
        assert get(address, "/health").status_code == 200


def test_a_full_queue_of_decoders_asks_to_come_back(library: Library, monkeypatch) -> None:
    pool = sandbox.Pool()
    pool._queue = FairQueue(longest=0)
    monkeypatch.setattr(sandbox, "_pool", lambda: pool)
    with in_thread(Service(library)) as address:
        problem(post(address, CLIP.read_bytes()), 503, "busy")
    pool.close()


def test_no_room_for_another_file_asks_to_come_back(library: Library, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "ROOM_S", 0.05)
    monkeypatch.setattr(Address, "UPLOADS", (1.0, 100.0))
    with in_thread(Service(library)) as address:
        problem(post(address, bytes(1_000)), 503, "busy")


def test_an_address_that_asks_too_often_waits_and_is_then_refused(library, monkeypatch) -> None:
    monkeypatch.setattr(limits, "PATIENCE_S", 0.0)
    monkeypatch.setattr(Address, "MESSAGES", (0.001, 2.0))
    with in_thread(Service(library)) as address:
        assert [get(address, "/health").status_code for _ in range(2)] == [200, 200]
        answer = get(address, "/health")
        problem(answer, 429, "too-many-requests")
        assert "retry-after" in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_upload_that_stops_coming_is_given_up(library: Library, monkeypatch) -> None:
    monkeypatch.setattr(receiving, "STALL_S", 0.1)
    with in_thread(Service(library)) as address:
        where = urlsplit(address)
        there = http.client.HTTPConnection(where.hostname or "", where.port, timeout=PATIENCE_S)
        there.putrequest("POST", "/recommend")
        there.putheader("Content-Length", "1000")
        there.endheaders()
        there.send(b"abc")
        answer = there.getresponse()
        assert (answer.status, b"late-upload" in answer.read()) == (408, True)
        there.close()


def test_a_failure_is_told_without_details_and_logged_without_the_clip(
    library: Library, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError(SECRET) from error

    monkeypatch.setattr(playlist, "make_playlist", fail)
    with in_thread(Service(library)) as address, caplog.at_level(logging.DEBUG):
        for answer in (get(address, "/recommend?track=0102"), post(address, CLIP.read_bytes())):
            problem(answer, 500, "internal-error")
            assert SECRET not in answer.text
            assert "RuntimeError" not in answer.text
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert get(address, "/health").status_code == 200
    assert "RuntimeError" in caplog.text
    assert "KeyError" in caplog.text
    assert "make_playlist" in caplog.text
    assert SECRET not in caplog.text


def test_a_damaged_index_is_told_without_paths_and_logged(
    library: Library, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    def damaged() -> None:
        raise IndexFolderError("/home/me/index is damaged")

    monkeypatch.setattr(library._check, "confirm", damaged)
    with in_thread(Service(library)) as address:
        for path in ("/health", "/tracks/0102", "/describe?text=piano"):
            answer = get(address, path)
            problem(answer, 500, "unusable-data")
            assert "/home/me" not in answer.text
        problem(post(address, CLIP.read_bytes()), 500, "unusable-data")
    assert "/home/me/index is damaged" in caplog.text


def test_an_index_of_neighbours_alone_says_what_it_can_do(library: Library, monkeypatch) -> None:
    monkeypatch.setattr(Library, "comparing_clips", ())
    monkeypatch.setattr(Library, "with_vectors", ())
    with in_thread(Service(library)) as address:
        for answer in (post(address, CLIP.read_bytes()), get(address, "/journey?from=0102&to=0235")):
            assert "GET /recommend" in problem(answer, 422, "unusable-request")["detail"]
        assert get(address, "/recommend?track=0102").status_code == 200


def test_clips_are_decoded_in_another_process(library: Library, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    for name in ("decode", "decode_stereo", "_open"):
        monkeypatch.setattr(decoding, name, fail)
    with in_thread(Service(library)) as address:
        assert post(address, CLIP.read_bytes()).status_code == 200


def test_who_waits_is_dropped_when_the_client_leaves(library: Library) -> None:
    with in_thread(Service(library)) as address, library._networks.acquire("other"):
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{address}/recommend", data=CLIP.read_bytes(), timeout=4)
        deadline = time.monotonic() + PATIENCE_S
        while library._networks.waiting:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_who_waits_for_the_networks_keeps_nobody_from_a_search(library: Library) -> None:
    with in_thread(Service(library)) as address, ThreadPoolExecutor(3) as clients:
        with library._networks.acquire("other"):
            waiting = [clients.submit(post, address, CLIP.read_bytes()) for _ in range(3)]
            deadline = time.monotonic() + PATIENCE_S
            while library._networks.waiting < 3:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert get(address, "/health").json()["waiting"] == 3
            assert get(address, "/recommend?track=0102").status_code == 200
        assert [one.result().status_code for one in waiting] == [200] * 3


def test_the_event_loop_stays_free_while_a_request_is_worked_on(library, monkeypatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        raise IndexFolderError("slow")

    monkeypatch.setattr(playlist, "make_playlist", slow)
    with in_thread(Service(library)) as address, ThreadPoolExecutor(1) as client:
        asked = client.submit(get, address, "/recommend?track=0102")
        assert begun.wait(PATIENCE_S)
        assert get(address, "/health").status_code == 200
        go_on.set()
        problem(asked.result(), 500, "unusable-data")
