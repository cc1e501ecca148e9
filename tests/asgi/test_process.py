"""The end of the server's process, in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from soundalike.asgi import process

BEGIN = """
import asyncio, os, signal, sys, threading, time
from soundalike.asgi import process
process.STOP_S, process.FROZEN_S, process.LOOK_S = {stop}, {frozen}, 0.1
signal.signal(signal.SIGTERM, lambda *_: print("told to stop", flush=True))
async def main():
    async with process.watched():
        {body}
asyncio.run(main())
print("left", flush=True)
"""


def run(
    body: str, stop: float = 0.5, frozen: float = 60.0
) -> tuple[subprocess.CompletedProcess[str], float]:
    begun = time.monotonic()
    code = BEGIN.format(body=body, stop=stop, frozen=frozen)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done, time.monotonic() - begun


def test_a_server_that_does_not_stop_is_ended() -> None:
    done, _ = run("os.kill(os.getpid(), signal.SIGTERM); await asyncio.sleep(50)")
    assert done.stdout == "told to stop\n"
    assert "Timeout" in done.stderr
    assert done.returncode == 1


def test_nor_does_a_loop_that_is_stuck_keep_it() -> None:
    done, _ = run("os.kill(os.getpid(), signal.SIGTERM)\n        while True: pass")
    assert done.stdout == "told to stop\n"
    assert done.returncode == 1


def test_a_server_that_stops_by_itself_does() -> None:
    done, _ = run("os.kill(os.getpid(), signal.SIGTERM); await asyncio.sleep(0.01)", stop=30)
    assert (done.stdout, done.stderr, done.returncode) == ("told to stop\nleft\n", "", 0)


def test_a_server_that_is_frozen_ends_and_says_where() -> None:
    done, _ = run("await asyncio.sleep(0.3); time.sleep(50)", frozen=0.5)
    assert done.returncode == 1
    assert 'File "<string>"' in done.stderr


def test_a_server_that_is_busy_goes_on() -> None:
    done, _ = run("await asyncio.sleep(3)", frozen=2)
    assert (done.stdout, done.stderr, done.returncode) == ("left\n", "", 0)


def test_the_server_may_open_as_many_files_as_it_may() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        process.raise_file_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert (soft, hard) == (min(process.FILES, before[1]), before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
