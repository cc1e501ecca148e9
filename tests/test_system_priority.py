"""Tests of what gives way: that thread and what it starts, and nothing else."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from audio_files import FORMATS, sine

from soundalike import system
from soundalike.audio import sandbox
from soundalike.models import runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone gives threads a niceness")


def own_niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_one_thread_gives_way_and_no_other():
    before = own_niceness()
    with ThreadPoolExecutor(1, initializer=system.lower_priority) as aside:
        assert aside.submit(own_niceness).result() == system.NICENESS
    assert own_niceness() == before


def test_networks_give_way_where_pages_are_served(monkeypatch):
    monkeypatch.setattr(runtime, "_background", None)
    seen = []

    def traced(shape, model):
        return lambda batch, count: (seen.append(own_niceness()), (batch,))[1]

    monkeypatch.setattr(runtime, "_tensorflow_runner", traced)
    monkeypatch.setenv(runtime.VARIABLE, runtime.TENSORFLOW)
    network = runtime.Network(
        (1,), lambda: None, lambda *_: pytest.fail("graph"), lambda _: pytest.fail("model")
    )
    before = own_niceness()
    network([1.0])
    runtime.lower_priority()
    (answer,) = network([2.0])
    assert answer.tolist() == [2.0]
    assert seen == [before, system.NICENESS]
    assert own_niceness() == before


def test_the_decoder_gives_way(encode):
    pool = sandbox.Pool(1)
    try:
        pool.decode(encode(sine(5), 22_050, *FORMATS["wav-s16"]))
        assert [psutil.Process(pid).nice() for pid in pool.pids] == [system.NICENESS]
    finally:
        pool.close()
