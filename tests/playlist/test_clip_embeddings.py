"""A new clip's copies in the library."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.features import fingerprint
from soundalike.index import index
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings

pytest_plugins = ["library_fixtures"]

ROW = 40


def test_a_track_played_two_percent_faster_is_a_copy_at_another_speed(
    bundled: Index, models: ModelStore
) -> None:
    original = analysis_window(decoding.decode(bundled.path(ROW))).samples
    faster = scipy.signal.resample(original, round(len(original) / 1.02))
    clip = Clip(np.resize(faster, ANALYSIS_SAMPLES).astype(np.float32))
    embeddings = ClipEmbeddings(clip, bundled, models)
    assert embeddings.copies == frozenset()
    assert embeddings.copies_at_other_speeds == {ROW}
    assert embeddings.found_copies == frozenset()
    embeddings.look_closer()
    assert embeddings.found_copies == {ROW}


def test_no_fingerprint_is_computed_for_a_clip_that_no_track_is_near(
    bundled: Index, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(clip: Clip, speed: float = 1.0) -> None:
        pytest.fail(f"a fingerprint at speed {speed}")

    monkeypatch.setattr(fingerprint, "of", computed)
    times = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    embeddings = ClipEmbeddings(Clip(np.sin(2_765 * times).astype(np.float32)), bundled, models)
    embeddings.look_closer()
    assert embeddings.found_copies == frozenset()


def test_another_picture_is_a_pass_of_its_own(
    models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = index.load(paths.BUNDLED_INDEX)
    embeddings = ClipEmbeddings(analysis_window(decoding.decode(opened.path(ROW))), opened, models)
    needed: list[str] = []
    for name in ("fma518", "mfcc_flat", "vgg_mel", "musicnn", "vgg_chroma"):
        needed += [name] if embeddings.needs_a_pass(name) else []
        if name in ("vgg_mel", "musicnn"):
            assert len(embeddings[name])
    assert needed == ["vgg_mel", "musicnn", "vgg_chroma"]
    assert not any(embeddings.needs_a_pass(name) for name in ("genre_head", "musicnn_tags"))
    recorded = ClipEmbeddings(embeddings.clip, opened, models, recorded=True)
    assert recorded.needs_a_pass("musicnn")
    assert len(embeddings["yamnet"])
    assert not recorded.needs_a_pass("musicnn")
