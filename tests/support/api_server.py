"""The API for other programs, served by a process or in a thread, for real clients."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import uvicorn

from soundalike.service.app import Service
from soundalike.service.problems import PROBLEM_JSON, TYPE
from soundalike.service.protocol import Protocol

PATIENCE_S = 120


@dataclass(frozen=True)
class Served:
    """A server: its address, process, and the file that it logs to."""

    address: str
    process: subprocess.Popen[str]
    log: Path

    def ask(self, path: str, method: str = "GET", **options: Any) -> requests.Response:
        return requests.request(method, f"{self.address}{path}", timeout=PATIENCE_S, **options)


@contextmanager
def serving(folder: Path, *options: str, **environment: str) -> Iterator[Served]:
    """Run `soundalike serve` on a free port, with a folder for its log and its temporary files."""
    log, temporary = folder / "log", folder / "tmp"
    temporary.mkdir()
    own = {"SOUNDALIKE_WARM_UP": "0", "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "soundalike", "serve", "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | own | environment,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, (line, log.read_text())
        yield Served(found[0], process, log)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@contextmanager
def in_thread(service: Service) -> Iterator[str]:
    """Serve from a thread of this process; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            service.app(), http=Protocol, lifespan="on", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not server.started:
                assert time.monotonic() < deadline
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def problem(answer: requests.Response, status: int, kind: str) -> dict[str, Any]:
    """The problem document that an answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    document = answer.json()
    assert (document["type"], document["status"]) == (TYPE + kind, status)
    assert document["title"]
    detail = document["detail"]
    assert detail.endswith(".")
    assert detail.isprintable()
    assert "Traceback" not in answer.text
    return dict(document)
