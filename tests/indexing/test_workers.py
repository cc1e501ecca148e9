"""Executors: in this process, in others, on a cluster; and lost workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import psutil
import pytest
from small_library import write_tone

from soundalike.datasets import library
from soundalike.errors import ModelError, SchedulerError
from soundalike.indexing import builder, extraction, workers
from soundalike.indexing.builder import BuildPlan
from soundalike.indexing.extraction import Extraction, ExtractionFailure
from soundalike.indexing.workers import (
    ClusterExecutor,
    ExtractionSpec,
    InProcessExecutor,
    Job,
    ProcessExecutor,
)
from soundalike.models import ModelStore

pytest_plugins = ["library_fixtures"]

NAME = "mfcc_flat"


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers") / "music"
    for place in range(10):
        write_tone(folder / f"{place}.wav", "pcm_s16le", seconds=4.0 + place / 4)
    (folder / "bad.mp3").write_text("no audio")
    return folder


@pytest.fixture(autouse=True)
def no_page_is_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """New processes run the main module again, for which Streamlit's own tests put a page."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def jobs(music: Path, name: str = NAME) -> list[Job]:
    return [Job(path.name, path, (name,)) for path in sorted(music.iterdir())]


def vectors(outcomes: Iterator[workers.Outcome]) -> dict[str, bytes | str]:
    return {
        job.file: outcome.reason
        if isinstance(outcome, ExtractionFailure)
        else outcome.values[NAME].tobytes()
        for job, outcome in outcomes
    }


@pytest.fixture(scope="module")
def expected(music: Path, models: ModelStore) -> dict[str, bytes | str]:
    return vectors(InProcessExecutor(models).run(jobs(music)))


def children() -> list[psutil.Process]:
    """The processes that hear files."""
    own = psutil.Process().children(recursive=True)
    return [child for child in own if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.sweep
def test_processes_match_in_process_results(
    music: Path, models: ModelStore, expected: dict[str, bytes | str]
) -> None:
    assert len(expected) == 11
    assert "read this as audio" in str(expected["bad.mp3"])
    drawn: list[str] = []

    def watched() -> Iterator[Job]:
        for job in jobs(music):
            drawn.append(job.file)
            yield job

    outcomes = ProcessExecutor(ExtractionSpec.of(models, [NAME]), 1).run(watched())
    first = next(outcomes)
    assert len(drawn) <= 2 * (1 + workers.AHEAD)
    found = vectors(iter([first, *outcomes]))
    assert found == expected
    assert children() == []


@pytest.mark.sweep
def test_killed_process_is_replaced(
    music: Path, models: ModelStore, expected: dict[str, bytes | str]
) -> None:
    outcomes = ProcessExecutor(ExtractionSpec.of(models, [NAME]), 1).run(iter(jobs(music)))
    first = next(outcomes)
    for child in children():
        child.send_signal(signal.SIGKILL)
    assert vectors(iter([first, *outcomes])) == expected


def test_wrong_networks_stop_the_run(music: Path) -> None:
    wrong = ExtractionSpec((("yamnet", "0" * 64, None),))
    with pytest.raises(ModelError, match="another yamnet"):
        list(ProcessExecutor(wrong, 1).run(iter(jobs(music))))


class ProcessExpired(Exception):
    """As Pebble says that a process was lost."""


def done(result: Extraction | BaseException) -> Future[Extraction | ExtractionFailure]:
    future: Future[Extraction | ExtractionFailure] = Future()
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future


def tried(results: list[Extraction | BaseException]) -> tuple[list[workers.Outcome], int]:
    """What comes of one job whose attempts end like this, and how many were made."""
    left = list(results)
    job = Job("x", Path("x"), ())
    outcomes = list(workers._outcomes(iter([job]), lambda job: done(left.pop(0)), 3))
    return outcomes, len(results) - len(left)


TAKEN = Extraction("0" * 64, {}, {})


def test_file_of_lost_process_is_retried() -> None:
    assert tried([ProcessExpired(), TAKEN]) == ([(Job("x", Path("x"), ()), TAKEN)], 2)


def test_file_fails_after_three_lost_processes() -> None:
    [(_, outcome)], attempts = tried([ProcessExpired()] * 3 + [TAKEN])
    assert attempts == 3
    assert isinstance(outcome, ExtractionFailure)
    assert "three times" in outcome.reason


def test_file_times_out() -> None:
    [(_, outcome)], attempts = tried([TimeoutError(), TAKEN])
    assert attempts == 1
    assert isinstance(outcome, ExtractionFailure)
    assert "longer than 10 minutes" in outcome.reason


def test_program_errors_are_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        tried([ZeroDivisionError()])


def test_analysis_errors_are_reported(
    music: Path, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("soundalike.indexing.extraction.analysis_window", fail)
    outcome = extraction.extract(music / "0.wav", [NAME], models)
    assert isinstance(outcome, ExtractionFailure)
    assert outcome.reason == "This file cannot be analysed (ZeroDivisionError)."
    assert len(outcome.sha256) == 64


@pytest.mark.parametrize("name", ["mfcc_flat", *extraction._KINDS])
def test_value_shapes_and_dtypes(library_clip: Path, small_models: ModelStore, name: str) -> None:
    taken = extraction.extract(library_clip, [name], small_models)
    assert isinstance(taken, Extraction)
    value = taken.values[name]
    assert value.dtype == extraction.dtype(name)
    assert np.isfinite(value.astype(float)).all()
    if name == extraction.PICTURE:
        assert value[:4].tobytes() == b"RIFF"
    else:
        assert value.shape == extraction.shape(name)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, Callable[[], subprocess.Popen[bytes]]]]:
    """A scheduler's address, and what starts a worker."""
    pytest.importorskip("distributed", reason="Dask is for who has a cluster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"{len(started)}.log").open("wb")
        started.append(
            subprocess.Popen([sys.executable, "-m", "dask", *command], stdout=log, stderr=log)
        )
        return started[-1]

    own = ("--host", "127.0.0.1", "--no-dashboard")
    start("scheduler", *own, "--port", str(port))
    yield (
        address,
        lambda: start("worker", address, *own, "--nthreads", "1", "--no-nanny"),
    )
    for process in started:
        process.kill()
        process.wait()


def connected(address: str, models: ModelStore, count: int) -> ClusterExecutor:
    """A cluster that has so many workers by now."""
    deadline = time.monotonic() + 60
    while True:
        try:
            made = ClusterExecutor(ExtractionSpec.of(models, [NAME]), address)
        except SchedulerError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            continue
        if len(made._client.nthreads()) >= count:
            return made
        made._client.close()


@pytest.mark.sweep
def test_killed_cluster_worker(
    music: Path,
    models: ModelStore,
    cluster: tuple[str, Callable[[], subprocess.Popen[bytes]]],
) -> None:
    address, start_worker = cluster
    doomed, _ = start_worker(), start_worker()
    hired = connected(address, models, 2)
    files = 0

    def kill(event: object) -> None:
        nonlocal files
        files += 1
        if files == 2:
            os.kill(doomed.pid, signal.SIGKILL)

    source = library.find(music)
    far = builder.build(source, music.parent / "far", models, BuildPlan([NAME]), hired, kill)
    near = builder.build(source, music.parent / "near", models, BuildPlan([NAME]))
    assert far.index.manifest == near.index.manifest
    assert [item.file for item in far.skipped] == ["bad.mp3"]
    assert doomed.wait(30) == -signal.SIGKILL


@pytest.mark.sweep
def test_lost_cluster(
    music: Path,
    models: ModelStore,
    cluster: tuple[str, Callable[[], subprocess.Popen[bytes]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "PATIENCE_S", 0.5)
    address, start_worker = cluster
    doomed = start_worker()
    outcomes = connected(address, models, 1).run(iter(jobs(music)))
    next(outcomes)
    doomed.kill()
    with pytest.raises(SchedulerError, match="What was finished is kept"):
        list(outcomes)


def test_no_scheduler(models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "ANSWER_S", 1.0)
    with pytest.raises(SchedulerError, match="No Dask scheduler answers"):
        ClusterExecutor(ExtractionSpec.of(models, [NAME]), "tcp://127.0.0.1:9")
    for text in ("foo", "tcp://", "http://x:1", "", "tcp://x", "tcp://x:y"):
        assert not workers.is_address(text)
    for text in ("tcp://127.0.0.1:8786", "tls://host.example:1", "tcp://[::1]:8786"):
        assert workers.is_address(text)


def test_a_scheduler_without_workers(
    models: ModelStore, cluster: tuple[str, Callable[[], subprocess.Popen[bytes]]]
) -> None:
    deadline = time.monotonic() + 60
    while True:
        with pytest.raises(SchedulerError) as caught:
            ClusterExecutor(ExtractionSpec.of(models, [NAME]), cluster[0])
        if "has no workers" in str(caught.value):
            return
        assert time.monotonic() < deadline
