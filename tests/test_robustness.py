"""Changed copies of clips: what is changed, and how a representation is seen to notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from small_library import IDS, copy_library, write_index

from soundalike import audio, representations, robustness
from soundalike.audio import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import AudioError, ModelError
from soundalike.index import Index
from soundalike.models import ModelStore
from soundalike.representations import Representation
from soundalike.robustness import CHANGES, Found


def noise(seconds: float, start: float = 0.0) -> Clip:
    samples = np.random.default_rng(0).normal(scale=0.1, size=round(seconds * SAMPLE_RATE))
    return Clip(samples.astype(np.float32), start=start, source_duration=seconds)


def window_at(source: Clip, start: float) -> Clip:
    first = round(start * SAMPLE_RATE)
    return replace(source, samples=source.samples[first : first + ANALYSIS_SAMPLES], start=start)


def spectrum(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Mean magnitude in 32 bands: all but deaf to time, and to level under cosine similarity."""
    frames = clip.samples[: len(clip.samples) // 2048 * 2048].reshape(-1, 2048)
    magnitudes = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)
    return np.array([band.mean() for band in np.array_split(magnitudes[1:], 32)], np.float32)


def envelope(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """The waveform's first 8,192 samples: a shifted copy is another."""
    return clip.samples[:8192].astype(np.float32)


def without_models(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    raise ModelError("The model file x is missing; please restore it.")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Representations that need no network."""
    for name, own_embed in (
        ("spectrum", spectrum),
        ("envelope", envelope),
        ("absent", without_models),
    ):
        dim = 8192 if name == "envelope" else 32
        made_up = Representation(name, name, dim, "Nothing.", own_embed=own_embed)
        monkeypatch.setitem(representations.REGISTRY, name, made_up)


@pytest.fixture
def real(tmp_path: Path, cheap: None) -> Index:
    """Six tracks of the library, indexed by the cheap representations."""
    folder = copy_library(tmp_path / "library")
    clips = [audio.analysis_window(audio.decode(folder / "clips" / f"{name}.opus")) for name in IDS]
    models = ModelStore()
    vectors = {
        "spectrum": np.stack([spectrum(clip, models) for clip in clips]),
        "envelope": np.stack([envelope(clip, models) for clip in clips]),
        "absent": np.eye(len(IDS), 32),
    }
    written = write_index(tmp_path / "index", vectors, tuple(vectors))
    tracks = written.tracks.assign(file=[f"clips/{name}.opus" for name in IDS])
    manifest = written.manifest | {"library": {"folder": str(folder), "fingerprint": ""}}
    return replace(written, tracks=tracks, manifest=manifest)


def test_shift_moves_the_window_where_the_source_goes_on() -> None:
    source = noise(50)
    for start, expected in ((10.0, 13.0), (19.0, 16.0)):
        changed = robustness.shifted(3)(source, window_at(source, start))
        assert changed is not None
        np.testing.assert_array_equal(changed.samples, window_at(source, expected).samples)


@pytest.mark.parametrize("seconds", [29.98, 30.0, ANALYSIS_SAMPLES / SAMPLE_RATE, 31.0])
def test_shift_drops_the_start_of_a_source_that_ends(seconds: float) -> None:
    source = noise(seconds)
    changed = robustness.shifted(7)(source, audio.analysis_window(source))
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    kept = min(len(source.samples), ANALYSIS_SAMPLES) - 7 * SAMPLE_RATE
    start = round(audio.analysis_window(source).start * SAMPLE_RATE)
    rest = source.samples[start + 7 * SAMPLE_RATE :][:kept]
    np.testing.assert_array_equal(changed.samples[:kept], rest)
    np.testing.assert_array_equal(changed.samples[kept:], rest[: ANALYSIS_SAMPLES - kept])


def test_shift_that_leaves_too_little() -> None:
    source = noise(9)
    assert robustness.shifted(7)(source, audio.analysis_window(source)) is None
    assert robustness.shifted(3)(source, audio.analysis_window(source)) is not None


def test_gain_is_6_db_and_nothing_is_clipped() -> None:
    window = Clip(np.array([0.9, -0.5, 0.1], np.float32))
    louder = robustness.louder(window, window).samples
    np.testing.assert_allclose(20 * np.log10(louder / window.samples), 6, atol=1e-5)
    assert louder.max() > 1


def test_mp3_sounds_the_same(library_clip: Path) -> None:
    window = audio.analysis_window(audio.decode(library_clip))
    changed = robustness.through_mp3(window, window)
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    before, after = (np.abs(np.fft.rfft(clip.samples)) for clip in (window, changed))
    audible = before[: len(before) // 2], after[: len(before) // 2]
    assert np.corrcoef(*audible)[0, 1] > 0.95
    assert not np.array_equal(before, after)


def test_mp3_has_about_its_bit_rate() -> None:
    written = robustness._mp3(noise(10).samples)
    assert len(written) * 8 / 10 == pytest.approx(64_000, rel=0.05)
    header = audio.probe(written)
    assert (header.codec.removesuffix("float"), header.channels, header.sample_rate) == (
        "mp3",
        1,
        44_100,
    )


def test_without_an_encoder_there_is_no_mp3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"flac"})
    assert robustness.through_mp3(noise(4), noise(4)) is None


def test_what_mp3_leaves_silent_is_no_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(source: bytes) -> Clip:
        raise AudioError("silent")

    monkeypatch.setattr(audio, "decode", silent)
    assert robustness.through_mp3(noise(4), noise(4)) is None


@pytest.mark.parametrize(("start", "before"), [(0.0, False), (60.0, True), (25.0, False), (40.0, True)])
def test_other_half_minute_shares_nothing(start: float, before: bool) -> None:
    source = noise(90.1)
    changed = robustness.other_half_minute(source, window_at(source, start))
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    where = np.flatnonzero(source.samples == changed.samples[0])[0] / SAMPLE_RATE
    assert where + 30 <= start + 0.001 if before else where >= start + 30


def test_short_source_has_no_other_half_minute() -> None:
    source = noise(80)
    assert robustness.other_half_minute(source, window_at(source, 25.0)) is None
    assert "other_30_s" not in robustness.copies(noise(30))
    assert "other_30_s" in robustness.copies(noise(62))


def test_find_by_hand(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.array([[1, 0], [0, 1], [1, 1], [1, 0]])})
    copies = np.array([[1, 0], [2, 0], [1, 1], [0, 1]], np.float32)
    unchanged, louder, other, stranger = robustness.find(index, "vgg_mel", 0, {"vgg_mel": copies})
    # Track 3 is track 0 once more, and counts as before it.
    assert unchanged == Found(1.0, 2)
    assert louder == Found(1.0, 2)
    assert other == Found(pytest.approx(np.sqrt(0.5)), 4)
    assert stranger == Found(0.0, 4)


def test_similarity_is_a_share_of_the_clips_own(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.array([[1.0, 0.0], [0.0, 1.0]])})
    copies = np.array([[0.6, 0.8], [0.3, np.sqrt(0.91)]], np.float32)
    found = robustness.find(index, "vgg_mel", 0, {"vgg_mel": copies})
    assert [item.similarity for item in found] == pytest.approx([1.0, 0.5])


def test_silent_vectors_are_known_by_nobody(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.zeros((3, 2))})
    found = robustness.find(index, "vgg_mel", 1, {"vgg_mel": np.zeros((2, 2), np.float32)})
    assert found == [Found(0.0, 3), Found(0.0, 3)]


def test_choice_of_tracks(real: Index) -> None:
    chosen = robustness.choose(real, 3, seed=1)
    assert chosen == robustness.choose(real, 3, seed=1)
    assert chosen == sorted(set(chosen))
    assert robustness.choose(real, 100, seed=0) == list(range(len(real)))
    assert robustness.choose(real, 0, seed=0) == []


def test_measured_on_real_clips(real: Index) -> None:
    seen: list[str] = []
    found = robustness.measure(real, ["spectrum", "envelope"], [0, 4], ModelStore(), seen.append)
    assert seen == ["clips/0001.opus", "clips/0013.opus"]
    assert list(found) == ["spectrum", "envelope"]
    for of_change in found.values():
        assert list(of_change) == list(CHANGES)
        louder = of_change["gain_6_db"]
        assert (louder["tracks"], louder["ranked_first"], louder["median_rank"]) == (2, 1, 1)
        assert louder["similarity"]["mean"] == pytest.approx(1, abs=1e-5)
        nothing = of_change["other_30_s"]
        assert (nothing["tracks"], nothing["similarity"]) == (0, None)
        assert "another 30 s" in nothing["reason"]
    kept, lost = (found[name]["shift_3_s"] for name in ("spectrum", "envelope"))
    assert kept["least"] > 0.95
    assert kept["ranked_first"] == 1
    assert abs(lost["similarity"]["mean"]) < 0.5
    assert found["spectrum"]["mp3_64_kbit"]["least"] > 0.9


def test_representation_that_cannot_embed_says_why(real: Index) -> None:
    found = robustness.measure(real, ["spectrum", "absent"], [0], ModelStore())
    assert found["spectrum"]["shift_1_s"]["tracks"] == 1
    for facts in found["absent"].values():
        assert facts == {
            "tracks": 0,
            "similarity": None,
            "reason": "Not measured: The model file x is missing; please restore it.",
        }


def test_audio_that_is_not_at_hand(real: Index) -> None:
    gone = replace(real, manifest=real.manifest | {"library": {"folder": "/nowhere"}})
    found = robustness.measure(gone, ["spectrum"], [0], ModelStore())
    assert "cannot be opened" in found["spectrum"]["gain_6_db"]["reason"]
