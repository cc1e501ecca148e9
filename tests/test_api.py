"""What other programs call: its examples run, and it gives what the command line and the app give."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import soundalike
from soundalike import api, paths
from soundalike.errors import (
    AudioError,
    IndexFolderError,
    InputError,
    PlaylistError,
    UnknownRepresentationError,
)

TRACK = "0102"
FILE = paths.LIBRARY / "clips" / f"{TRACK}.opus"


def test_the_examples_run() -> None:
    result = doctest.testmod(api)
    assert result.attempted >= 10
    assert result.failed == 0


def test_the_package_offers_all_of_it_and_is_light_until_asked() -> None:
    for name in soundalike.__all__:
        assert getattr(soundalike, name) is getattr(api, name)
        assert name in dir(soundalike)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = soundalike.nothing
    code = "import soundalike, sys; print('numpy' in sys.modules, soundalike.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", soundalike.__version__]


def test_a_file_and_its_bytes_and_its_track_are_the_same_clip() -> None:
    index = soundalike.load()
    by_id = soundalike.recommend(TRACK, index, length=5)
    assert TRACK not in [match.track_id for match in by_id]
    assert all(match.path.is_file() for match in by_id)
    assert [match.similarity for match in by_id] == sorted(
        (match.similarity for match in by_id), reverse=True
    )
    for clip in (FILE, str(FILE), FILE.read_bytes()):
        found = soundalike.recommend(clip, index, length=5)
        assert [match.track_id for match in found] == [match.track_id for match in by_id]


def test_the_cosine_of_embeddings_is_the_similarity() -> None:
    first = soundalike.recommend(TRACK, length=1)[0]
    vectors = [soundalike.embed(clip).astype(np.float64) for clip in (TRACK, first.track_id)]
    cosine = vectors[0] @ vectors[1] / np.prod([np.linalg.norm(vector) for vector in vectors])
    assert cosine == pytest.approx(soundalike.explain(TRACK, first.track_id).similarity, abs=1e-3)


def test_a_filter_leaves_out_what_does_not_meet_it() -> None:
    free = soundalike.recommend(TRACK, length=20, per_artist=None)
    only = soundalike.recommend(TRACK, length=20, per_artist=None, only="no strings")
    assert {match.track_id for match in only} != {match.track_id for match in free}


def test_a_journey_has_its_stops_and_small_steps() -> None:
    found = soundalike.journey([TRACK, "0235"], length=4)
    assert (found[0].track_id, found[-1].track_id, len(found)) == (TRACK, "0235", 6)
    assert all(-1 <= match.similarity <= 1 for match in found)


def test_what_cannot_be_used_is_one_of_our_errors(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"nothing")
    with pytest.raises(AudioError):
        soundalike.recommend(tmp_path / "a.wav")
    with pytest.raises(AudioError):
        soundalike.recommend("9999")
    with pytest.raises(UnknownRepresentationError):
        soundalike.recommend(TRACK, by="nothing")
    with pytest.raises(IndexFolderError):
        soundalike.load(tmp_path)
    with pytest.raises(InputError, match="No word"):
        soundalike.describe("qwertyuiop")
    with pytest.raises(InputError, match="only"):
        soundalike.recommend(TRACK, only="qwertyuiop")
    with pytest.raises(PlaylistError):
        soundalike.journey([TRACK])
    with pytest.raises(ValueError, match="at least 1"):
        soundalike.recommend(TRACK, length=0)
