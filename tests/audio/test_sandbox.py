"""Tests of the sandbox: results equal `audio.decode`, and a crash affects no other file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from audio_files import FORMATS, Encode, check_message, sine, stereo
from bombs import constant_flac

from soundalike.audio import decoding, sandbox
from soundalike.audio.sandbox import Limits, Pool, SandboxError
from soundalike.errors import AudioError

EIGHT = 8
HEAVY = {"tensorflow", "keras", "librosa", "numba", "streamlit", "pandas", "sklearn", "scipy"}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(2)
    yield pool
    pool.close()


@pytest.fixture
def limited() -> Iterator[list[Pool]]:
    """Pools to be closed after a test."""
    pools: list[Pool] = []
    yield pools
    for pool in pools:
        pool.close()


def endless() -> bytes:
    """A legal file that takes a second or two: nearly twenty minutes of stereo at 96 kHz.

    With a limit of 0 s of processor time, the process has up to one: the system counts whole seconds.
    """
    return constant_flac(1_190, 96_000, 2, level=8_000)


@pytest.mark.parametrize("name", ["wav-s16", "mp3", "ogg-opus", "m4a-aac"])
def test_clip_equals_that_of_audio_decode(name, pool, encode):
    source = encode(stereo(sine(5), sine(5, hertz=660.0)), 48_000, *FORMATS[name])
    clip, sides = pool.decode_stereo(source)
    expected, expected_sides = decoding.decode_stereo(source)
    np.testing.assert_array_equal(clip.samples, expected.samples)
    np.testing.assert_array_equal(sides, expected_sides)
    assert clip.samples.dtype == np.float32
    assert (clip.sample_rate, clip.start) == (expected.sample_rate, expected.start)
    assert (clip.notes, clip.source_duration) == (expected.notes, expected.source_duration)
    np.testing.assert_array_equal(pool.decode(source).samples, expected.samples)


def test_notes_are_returned(pool, encode):
    cancelling = encode(stereo(sine(5), -sine(5)), 48_000, "flac", "flac")
    assert "cancel each other out" in pool.decode(cancelling).notes[0]
    half = encode(sine(10, 44_100), 44_100, "flac", "flac")
    half = half[: len(half) // 2]
    assert pool.decode(half).notes == decoding.decode(half).notes != ()


def test_only_a_file_of_two_channels_has_sides(pool, encode):
    assert pool.decode_stereo(encode(sine(4)))[1] is None
    assert pool.decode_stereo(encode(np.stack([sine(4)] * 8)))[1] is None


@pytest.mark.parametrize("source", [b"", b"no music", bytes(50_000)])
def test_errors_equal_those_of_audio_decode(source, pool):
    with pytest.raises(AudioError) as expected:
        decoding.decode(source)
    with pytest.raises(AudioError) as caught:
        pool.decode(source)
    assert str(caught.value) == str(expected.value)
    assert not isinstance(caught.value, SandboxError)


def test_too_large_files_are_not_sent(monkeypatch, pool):
    monkeypatch.setattr(decoding, "MAX_BYTES", 2**20)
    with pytest.raises(AudioError, match="This file is 2 MB"):
        pool.decode(bytes(2 * 2**20))


def test_files_at_the_same_time_are_not_mixed_up(pool, encode):
    files = [encode(sine(4 + i / 4, hertz=300.0 + 50 * i)) for i in range(8)]
    with ThreadPoolExecutor(8) as threads:
        clips = list(threads.map(pool.decode, files))
    for source, clip in zip(files, clips, strict=True):
        np.testing.assert_array_equal(clip.samples, decoding.decode(source).samples)


def test_a_process_that_is_killed_between_files_is_replaced(pool, encode):
    pool.warm()
    before = pool.pids
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert pool.decode(encode(sine(4))).duration == pytest.approx(4.0)
    assert set(pool.pids) != set(before)


def test_a_file_is_retried_when_its_process_ends(limited, encode):
    pool = Pool(1)
    limited.append(pool)
    pool.decode(encode(sine(4)))
    (first,) = pool.pids
    with ThreadPoolExecutor(1) as thread:
        # Stopped, it is certainly in the middle of its work when it is killed.
        os.kill(first, signal.SIGSTOP)
        clip = thread.submit(pool.decode, encode(sine(5)))
        while pool._idle.qsize():
            time.sleep(0.01)
        # The file is longer than a pipe holds, so that it is being sent by now.
        time.sleep(0.5)
        os.kill(first, signal.SIGKILL)
        assert clip.result().duration == pytest.approx(5.0)
    assert first not in pool.pids
    assert pool.lost == 1


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("limits", "reason", "said"),
    [
        (Limits(cpu_seconds=0), "slow", "takes too long"),
        (Limits(seconds=0.5), "slow", "takes too long"),
        (Limits(memory=30 << 20), None, "Convert it"),
    ],
    ids=["processor time", "wall time", "memory"],
)
def test_exceeding_the_limits_only_ends_the_process(limits, reason, said, limited, encode):
    pool = Pool(1, limits)
    limited.append(pool)
    with pytest.raises(SandboxError, match=said) as caught:
        pool.decode(endless())
    check_message(str(caught.value))
    assert reason is None or caught.value.reason == reason
    # The next file has a new process, or one that is as good.
    assert pool.decode(encode(sine(3.1, 8_000), 8_000)).duration == pytest.approx(3.1)


def test_concurrent_files_are_unaffected(limited, encode):
    pool = Pool(2, Limits(cpu_seconds=0))
    limited.append(pool)
    with ThreadPoolExecutor(2) as threads:
        hostile = threads.submit(pool.decode, endless())
        clips = [threads.submit(pool.decode, encode(sine(4))) for _ in range(4)]
        assert [round(clip.result().duration) for clip in clips] == [4] * 4
        assert isinstance(hostile.exception(), SandboxError)


def test_a_crashing_process_gives_a_clear_error(monkeypatch, limited):
    pool = Pool(1)
    limited.append(pool)
    monkeypatch.setattr(sandbox.sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match="crashed the decoder") as caught:
        pool.decode(b"music")
    assert caught.value.reason == "died"


def test_a_process_that_cannot_start_gives_a_clear_error(monkeypatch, limited, encode):
    pool = Pool(1, Limits(files=1))
    limited.append(pool)
    pool.warm()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox.sys, "executable", "/nowhere/python")
        assert pool.decode(encode(sine(4))).duration == pytest.approx(4.0)
        with pytest.raises(AudioError, match="Try again later"):
            pool.decode(b"music")
        pool.warm()
    assert pool.decode(encode(sine(4))).duration == pytest.approx(4.0)


def test_a_process_is_replaced_after_the_maximum_number_of_files(limited, encode):
    pool = Pool(1, Limits(files=2))
    limited.append(pool)
    pids = []
    for _ in range(4):
        pool.decode(encode(sine(4)))
        pids += pool.pids
    assert len(set(pids)) == 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_secret_is_passed_to_the_process(monkeypatch, limited, encode):
    monkeypatch.setenv("SOUNDALIKE_SECRET", "x")
    pool = Pool(1)
    limited.append(pool)
    pool.decode(encode(sine(4)))
    assert "SOUNDALIKE_SECRET" not in psutil.Process(pool.pids[0]).environ()


class LeftError(BaseException):
    """What Streamlit raises in the run of a visitor who has left, as far as a sandbox can tell."""


def leave(ahead: int) -> None:
    raise LeftError


@pytest.mark.parametrize("kept", [True, False], ids=["process runs", "process starts"])
def test_work_on_a_file_ends_when_its_visitor_leaves(kept, limited, encode):
    pool = Pool(1)
    limited.append(pool)
    pool.warm()
    if kept:
        pool.decode(encode(sine(4)))
    (first,) = pool.pids
    began = time.monotonic()
    with pytest.raises(LeftError):
        pool.decode(endless(), "visitor", leave)
    assert first not in pool.pids
    assert pool.decode(encode(sine(4))).duration == pytest.approx(4.0)
    # The file alone takes longer on any machine.
    assert time.monotonic() - began < 5.0
    assert pool.lost == 0


def test_eight_visitors_who_leave_hold_up_nobody(limited, encode):
    pool = Pool(2)
    limited.append(pool)
    pool.warm()
    bomb, small = endless(), encode(sine(4))
    left = threading.Event()

    def stay(ahead: int) -> None:
        if left.is_set():
            raise LeftError

    def attack(number: int) -> None:
        with pytest.raises(LeftError):
            pool.decode(bomb, f"attacker {number}", stay)

    with ThreadPoolExecutor(EIGHT) as threads:
        attacks = [threads.submit(attack, number) for number in range(EIGHT)]
        wait_until(lambda: pool._queue.waiting == EIGHT - 2)
        left.set()
        began = time.monotonic()
        assert pool.decode(small, "visitor").duration == pytest.approx(4.0)
        assert time.monotonic() - began < 8.0
        for attack_ in attacks:
            attack_.result()


def test_visitors_take_turns(limited, encode):
    pool = Pool(1)
    limited.append(pool)
    served: list[str] = []
    source = encode(sine(4))

    def send(visitor: str) -> None:
        pool.decode(source, visitor)
        served.append(visitor)

    with ThreadPoolExecutor(8) as threads, pool._queue.acquire("another"):
        for count, visitor in enumerate(("many", "many", "many", "one"), 1):
            threads.submit(send, visitor)
            wait_until(lambda: pool._queue.waiting == count)  # noqa: B023
    assert served.index("one") <= 1


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that other threads do."""
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError


def test_a_function_is_called_with_a_file(pool):
    assert pool.call("soundalike.playlist.sandboxed_reader:lists", b"#EXTM3U\na.mp3", "a.m3u8") == [
        ["a.mp3", None, "", "", None]
    ]
    with pytest.raises(AudioError, match=r"a\.xspf is XML but not a playlist") as caught:
        pool.call("soundalike.playlist.sandboxed_reader:lists", b"<a/>", "a.xspf")
    assert not isinstance(caught.value, SandboxError)
    with pytest.raises(SandboxError):
        pool.call("soundalike.playlist.sandboxed_reader:no_such_function", b"", "")


def test_a_process_is_confined(pool, encode: Encode):
    pool.decode(encode(sine(4)))
    parts = {part for worker in pool._workers for part in worker.confined}
    assert parts >= ({"memory", "privileges"} if sys.platform == "linux" else set())


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has this")
def test_the_server_hides_its_memory():
    code = (
        "import ctypes; from soundalike.audio import sandbox\n"
        "dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "print(dumpable()); sandbox._pool(); print(dumpable())"
    )
    assert python(code).stdout.split() == ["1", "0"]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)


def test_the_process_imports_no_more_than_it_needs():
    done = python("import soundalike.audio.sandbox_worker, av, soxr, sys; print(*sys.modules)")
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "soundalike" in loaded
    assert not loaded & HEAVY


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limits")
def test_a_confined_process_can_write_no_file(tmp_path):
    code = (
        "import pathlib, sys; from soundalike.audio import sandbox_worker as w; w._set_limits(2**28)\n"
        "try: pathlib.Path(sys.argv[1]).write_bytes(b'x')\n"
        "except OSError: print('refused')"
    )
    assert python(code, str(tmp_path / "x")).stdout == "refused\n"
    assert not (tmp_path / "x").stat().st_size


def test_the_main_script_is_not_run_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('begun')\nfrom soundalike.audio import sandbox\n"
        "try: sandbox.decode(b'no music')\nexcept Exception as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "begun"
    assert done.stdout.count("begun") == 1
    assert "read this as audio" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("kill", [False, True])
def test_processes_end_with_their_server(kill):
    code = (
        "import os, signal, sys; from soundalike.audio import sandbox\n"
        "sandbox.warm(); print(*sandbox._pool().pids, flush=True)\n"
        "sys.argv[1] == 'True' and os.kill(os.getpid(), signal.SIGKILL)"
    )
    pids = [int(pid) for pid in python(code, str(kill)).stdout.split()]
    assert len(pids) == sandbox.COUNT
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(left, timeout=30)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
