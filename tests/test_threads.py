"""What is kept of a file is the same to the last byte, however many threads linear algebra may use."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from pathlib import Path

import clustered_index
import kills
import numpy as np
import pytest
from small_library import IDS, copy_library, write_index
from threadpoolctl import threadpool_info, threadpool_limits

from soundalike import representations, threads
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.indexing import extraction, maps
from soundalike.indexing.extraction import Extraction
from soundalike.models import ModelStore
from soundalike.projection import layout
from soundalike.threads import of_networks, single_threaded, single_threaded_blas

LIMITS = (1, 2)


@pytest.fixture
def nobody_inside() -> None:
    """Wait for background threads of earlier tests: limits are given back when the last one leaves."""
    deadline = time.monotonic() + 60
    while threads._users:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def blas_threads() -> set[int]:
    """Threads of NumPy's and SciPy's linear algebra; an OpenMP build has a number for each thread."""
    return {
        found["num_threads"]
        for found in threadpool_info()
        if found["user_api"] == "blas" and found.get("threading_layer") == "pthreads"
    }


def wants(models: ModelStore) -> list[str]:
    """Everything that can be taken of a file."""
    heard = [
        name
        for name in representations.available(models)
        if representations.get(name).from_table is None and not representations.get(name).parts
    ]
    return [*heard, *extraction._KINDS]


@pytest.mark.sweep
def test_everything_is_taken_alike_under_either_limit(library_clip: Path, models: ModelStore) -> None:
    wanted = wants(models)
    assert {"mfcc_flat", "musicnn", "fma518", extraction.DESCRIPTORS} <= set(wanted)
    found = []
    for limit in LIMITS:
        with threadpool_limits(limit, "blas"):
            taken = extraction.extract(library_clip, wanted, models)
        assert isinstance(taken, Extraction)
        found.append({name: value.tobytes() for name, value in taken.values.items()})
    assert [name for name in wanted if found[0][name] != found[1][name]] == []


@pytest.mark.parametrize("name", ["musicnn", "mfcc_flat", "fma518", "mfcc_autoencoder"])
def test_a_query_is_heard_as_the_library_was(library_clip: Path, models: ModelStore, name: str) -> None:
    found = set()
    for limit in LIMITS:
        clip = analysis_window(decoding.decode(library_clip))
        with threadpool_limits(limit, "blas"):
            found.add(representations.get(name).embed(clip, models).tobytes())
    assert len(found) == 1


def test_what_is_worked_out_of_vectors_is_alike_under_either_limit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = {
        "musicnn": rng.random((300, 200)),
        "musicnn_mid": rng.normal(size=(300, 256)),
        "yamnet": rng.random((300, 1_024)),
        "vgg_mel": np.abs(rng.normal(size=(300, 3_000))),
        "genre_head": rng.normal(size=(300, 32)),
    }
    found = []
    for limit in LIMITS:
        with threadpool_limits(limit, "blas"):
            made = write_index(tmp_path / str(limit), vectors, (*vectors, "vgg_genre", "soundalike"))
        found.append(kills.contents(made.folder))
    assert found[0] == found[1]


@pytest.mark.sweep
def test_maps_are_alike_under_either_limit(tmp_path: Path) -> None:
    found = []
    for limit in LIMITS:
        folder = clustered_index.write(tmp_path / str(limit)).folder
        with threadpool_limits(limit, "blas"):
            maps.add(folder, [layout.DEFAULT])
        found.append(kills.contents(folder))
    assert found[0] == found[1]


@pytest.mark.sweep
def test_an_index_does_not_depend_on_workers_or_processors(tmp_path: Path) -> None:
    library = copy_library(tmp_path / "library", IDS[:3])
    found = []
    for limit in LIMITS:
        for workers in (0, 2):
            out = tmp_path / f"{limit} {workers}"
            asked = kills.command(library, out, ["soundalike", "musicnn", "mfcc_flat"], workers)
            own = os.environ | {"OPENBLAS_NUM_THREADS": str(limit)}
            subprocess.run(asked, check=True, stdout=subprocess.DEVNULL, env=own)
            found.append(kills.contents(out))
    assert all(contents == found[0] for contents in found)
    assert len(found[0]) > 10


def test_the_last_one_out_gives_the_threads_back(nobody_inside: None) -> None:
    with threadpool_limits(2, "blas"):
        with single_threaded_blas():
            with single_threaded_blas():
                assert blas_threads() == {1}
            assert blas_threads() == {1}
        assert blas_threads() == {2}
        with pytest.raises(ZeroDivisionError), single_threaded_blas():
            raise ZeroDivisionError
        assert blas_threads() == {2}


def test_whoever_is_inside_keeps_others_from_giving_threads_back(nobody_inside: None) -> None:
    first_is_out, second_is_in = threading.Event(), threading.Event()

    def second() -> set[int]:
        with single_threaded_blas():
            second_is_in.set()
            assert first_is_out.wait(10)
            return blas_threads()

    with threadpool_limits(2, "blas"), ThreadPoolExecutor(1) as aside:
        with single_threaded_blas():
            later = aside.submit(second)
            assert second_is_in.wait(10)
        first_is_out.set()
        assert later.result() == {1}
        assert blas_threads() == {2}


def test_a_library_on_openmp_is_limited_in_every_thread_that_is_inside(nobody_inside: None) -> None:
    pytest.importorskip("faiss", reason="needs faiss, which CI has and which ships such a library")
    second_is_in, first_is_out = threading.Event(), threading.Event()

    def on_openmp() -> list[int]:
        return [
            lib["num_threads"] for lib in threadpool_info() if lib.get("threading_layer") == "openmp"
        ]

    def second() -> list[int]:
        with single_threaded_blas():
            second_is_in.set()
            assert first_is_out.wait(10)
            return on_openmp()

    with threadpool_limits(2, "blas"), ThreadPoolExecutor(1) as aside:
        with single_threaded_blas():
            later = aside.submit(second)
            assert second_is_in.wait(10)
            assert on_openmp() == [1]
        first_is_out.set()
        assert later.result() == [1]
        assert on_openmp() == [2]


def test_networks_have_all_processors_but_where_a_file_is_taken() -> None:
    def check() -> None:
        assert of_networks() == 0
        with single_threaded():
            assert of_networks() == 1
            with ThreadPoolExecutor(1) as aside:
                assert aside.submit(of_networks).result() == 0
        assert of_networks() == 0
        with single_threaded_blas():
            assert of_networks() == 0

    Context().run(check)
