"""Tests of a large synthetic default index: bounded memory, and recall of the nearest tracks.

A smaller one comes first, which shows the same but for its memory.
`benchmarks/scale.py --only soundalike --tracks 100000` does the same at full size.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scale
from small_library import write_index

from soundalike import representations
from soundalike.index import index

SMALLER, TRACKS = 1_500, 6_000
PARTS = representations.get("soundalike").parts


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a few tracks whose vectors have principal directions, as those of music do."""
    rng = np.random.default_rng(0)
    vectors, scales = {}, {}
    for part in PARTS:
        dim = representations.get(part).dim
        drawn = rng.normal(size=(120, dim)) * np.arange(1, dim + 1) ** -0.7
        vectors[part] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        scales[part] = np.stack([rng.gamma(2, size=dim), np.ones(dim)])
    folder = tmp_path_factory.mktemp("large") / "source"
    return write_index(folder, vectors, ["soundalike"], scales=scales).folder


@pytest.fixture(scope="module", params=[SMALLER, pytest.param(TRACKS, marks=pytest.mark.sweep)])
def tracks(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def folder(source: Path, tracks: int) -> Path:
    return source.with_name(f"index of {tracks}")


@pytest.fixture(scope="module")
def measured(source: Path, folder: Path, tracks: int) -> dict:
    """What the benchmark says, run as anyone would."""
    command = [sys.executable, scale.__file__, "--only", "soundalike", "--tracks", str(tracks)]
    command += ["--queries", "20", "--source", str(source), "--folder", str(folder), "--details"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("tracks", [pytest.param(TRACKS, marks=pytest.mark.sweep)], indirect=True)
def test_memory_is_bounded(measured: dict) -> None:
    raw_mb = TRACKS * sum(representations.get(part).dim for part in PARTS) * 4 / 1e6
    built = measured["build_mb"]
    # Blocks of 32 MB in several copies, numbers in double precision among them.
    assert built["peak"] - built["before"] < 400
    assert measured["served"]["peak_mb"] - measured["served"]["opened_mb"] < 150
    assert raw_mb > 35


def test_the_nearest_are_found(measured: dict, tracks: int) -> None:
    assert measured["tracks"] == tracks
    assert measured["served"]["soundalike"]["recall_at_50"] >= 0.98


@pytest.mark.usefixtures("measured")
def test_all_facts_of_the_vectors_are_there(folder: Path, tracks: int) -> None:
    opened = index.load(folder, checksums=True)
    assert opened.bias("soundalike").shape == (tracks,)
    for part in PARTS:
        dim = representations.get(part).dim
        assert opened.array(f"{part}_scale").shape == (2, dim)
        assert opened.array(f"{part}_top_tracks").shape == (dim, 5)
        np.testing.assert_allclose(opened.array(f"{part}_norms"), 1, atol=1e-3)
