"""Changes of recordings: effect, unchanged properties, and reproducibility."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from audio_files import Encode
from small_library import IDS

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip
from soundalike.errors import AudioError
from soundalike.evaluation import robustness_changes, robustness_files
from soundalike.evaluation.degradations import Room
from soundalike.evaluation.robustness_changes import CHANGES, GROUPS, UNCHANGED, USUAL, Recording


def noise(seconds: float, start: float = 0.0) -> Clip:
    samples = np.random.default_rng(0).normal(scale=0.1, size=round(seconds * SAMPLE_RATE))
    return Clip(samples.astype(np.float32), start=start, source_duration=seconds)


def window_at(source: Clip, start: float) -> Clip:
    first = round(start * SAMPLE_RATE)
    return replace(source, samples=source.samples[first : first + ANALYSIS_SAMPLES], start=start)


def recording(source: Clip, start: float | None = None, name: str = "") -> Recording:
    """A recording whose window begins at a time, or where the analysis has it."""
    window = analysis_window(source) if start is None else window_at(source, start)
    return Recording(source, window, None, name)


def loudness_db(clip: Clip) -> float:
    return float(10 * np.log10(np.square(clip.samples, dtype=np.float64).mean()))


@pytest.fixture(scope="module")
def track() -> Recording:
    """A track of the library, in stereo."""
    return robustness_changes.read(paths.LIBRARY / "clips" / f"{IDS[0]}.opus", IDS[0])


def test_shift_moves_window_in_longer_source() -> None:
    source = noise(50)
    for start, expected in ((10.0, 13.0), (19.0, 16.0)):
        changed = robustness_changes.shifted(3)(recording(source, start))
        assert changed is not None
        np.testing.assert_array_equal(changed.samples, window_at(source, expected).samples)


@pytest.mark.parametrize("seconds", [29.98, 30.0, ANALYSIS_SAMPLES / SAMPLE_RATE, 31.0])
def test_shift_drops_start_of_short_source(seconds: float) -> None:
    source = noise(seconds)
    changed = robustness_changes.shifted(7)(recording(source))
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    kept = min(len(source.samples), ANALYSIS_SAMPLES) - 7 * SAMPLE_RATE
    start = round(analysis_window(source).start * SAMPLE_RATE)
    rest = source.samples[start + 7 * SAMPLE_RATE :][:kept]
    np.testing.assert_array_equal(changed.samples[:kept], rest)
    np.testing.assert_array_equal(changed.samples[kept:], rest[: ANALYSIS_SAMPLES - kept])


def test_shift_too_large() -> None:
    source = noise(9)
    assert robustness_changes.shifted(7)(recording(source)) is None
    assert robustness_changes.shifted(3)(recording(source)) is not None


def test_gain_without_clipping() -> None:
    window = Clip(np.array([0.9, -0.5, 0.1], np.float32))
    changed = CHANGES["gain_6_db"].make(Recording(window, window))
    assert changed is not None
    louder = changed.samples
    np.testing.assert_allclose(20 * np.log10(louder / window.samples), 6, atol=1e-5)
    assert louder.max() > 1


@pytest.mark.parametrize("name", ["mp3_64_kbit", "aac_48_kbit"])
def test_lossy_copy_sounds_the_same(track: Recording, name: str) -> None:
    window = track.window
    changed = CHANGES[name].make(track)
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    before, after = (np.abs(np.fft.rfft(clip.samples)) for clip in (window, changed))
    audible = before[: len(before) // 2], after[: len(before) // 2]
    assert np.corrcoef(*audible)[0, 1] > 0.95
    assert not np.array_equal(before, after)


@pytest.mark.parametrize(
    ("format", "codec"), [(robustness_files.MP3_64, "mp3"), (robustness_files.AAC_48, "aac")]
)
def test_lossy_file_has_about_its_bit_rate(format: robustness_files.Lossy, codec: str) -> None:
    written = format.encode(noise(10).samples)
    assert len(written) * 8 / 10 == pytest.approx(format.bit_rate, rel=0.08)
    header = decoding.probe(written)
    assert header.codec.removesuffix("float") == codec
    assert (header.channels, header.sample_rate) == (1, 44_100)


@pytest.mark.parametrize("name", ["mp3_64_kbit", "aac_48_kbit"])
def test_without_an_encoder_there_is_no_lossy_copy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"flac"})
    assert CHANGES[name].make(recording(noise(4))) is None
    assert "cannot encode" in CHANGES[name].why_not


@pytest.mark.parametrize("name", ["mp3_64_kbit", "aac_48_kbit", "mono_in_5.1"])
def test_silent_decoded_file_is_no_copy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(source: bytes) -> Clip:
        raise AudioError("silent")

    monkeypatch.setattr(decoding, "decode", silent)
    assert CHANGES[name].make(recording(noise(4))) is None


@pytest.mark.parametrize(("start", "before"), [(0.0, False), (60.0, True), (25.0, False), (40.0, True)])
def test_other_half_minute_does_not_overlap(start: float, before: bool) -> None:
    source = noise(90.1)
    changed = robustness_changes.other_half_minute(recording(source, start))
    assert changed is not None
    assert len(changed.samples) == ANALYSIS_SAMPLES
    where = np.flatnonzero(source.samples == changed.samples[0])[0] / SAMPLE_RATE
    assert where + 30 <= start + 0.001 if before else where >= start + 30


def test_short_source_has_no_other_half_minute() -> None:
    source = noise(80)
    assert robustness_changes.other_half_minute(recording(source, 25.0)) is None
    for seconds, there in ((30, False), (62, True)):
        made = dict(robustness_changes.copies(recording(noise(seconds)), ["other_30_s"]))
        assert ("other_30_s" in made) == there


@pytest.mark.parametrize("decibels", [-6, -12, -20, -30])
def test_quieter_copies_have_exact_gain(track: Recording, decibels: int) -> None:
    copy = CHANGES[f"gain_{decibels}_db"].make(track)
    assert copy is not None
    assert loudness_db(copy) - loudness_db(track.window) == pytest.approx(decibels, abs=1e-3)


@pytest.mark.parametrize("noise_name", ["babble", "pink"])
def test_noise_levels(track: Recording, noise_name: str) -> None:
    added = {}
    for decibels in (20, 10, 5):
        copy = CHANGES[f"{noise_name}_{decibels}_db"].make(track)
        assert copy is not None
        added[decibels] = copy.samples - track.window.samples
        ratio = loudness_db(track.window) - loudness_db(Clip(added[decibels]))
        assert ratio == pytest.approx(decibels, abs=0.1)
    assert np.corrcoef(added[5], added[20])[0, 1] > 0.999


def test_rooms_are_as_documented() -> None:
    assert (Room(0.3, 6.0), Room(0.5, 3.0), Room(0.9, 0.0)) == robustness_changes.ROOMS
    for room in robustness_changes.ROOMS:
        title = CHANGES[f"room_{room.rt60}_s"].title
        assert f"RT60 {room.rt60} s" in title
        assert f"{room.direct_db:.0f} dB" in title


@pytest.mark.parametrize("name", ["room_0.3_s", "pink_10_db", "babble_10_db", "phone"])
def test_random_changes_are_seeded_by_track(name: str) -> None:
    one, again, other = (
        CHANGES[name].make(recording(noise(4), name=track)) for track in ("a", "a", "b")
    )
    assert one is not None
    assert again is not None
    assert other is not None
    np.testing.assert_array_equal(one.samples, again.samples)
    assert np.abs(one.samples - other.samples).max() > 0.01


def test_phone_combines_speaker_room_and_noise() -> None:
    time = np.arange(ANALYSIS_SAMPLES) / SAMPLE_RATE
    beat = (0.3 * np.sin(2 * np.pi * 1_000 * time) * (time % 2 < 1)).astype(np.float32)
    copy = CHANGES["phone"].make(recording(Clip(beat)))
    assert copy is not None
    on, off = (copy.samples[(time % 2 >= low) & (time % 2 < low + 0.4)] for low in (0.5, 1.5))
    ratio = loudness_db(Clip(on)) - loudness_db(Clip(off))
    # Only the noise is left half a second after the tone; the tone itself sounds for half of the time.
    assert ratio == pytest.approx(10 * np.log10(1 + 2 * 10), abs=1.5)
    spectrum = np.abs(np.fft.rfft(on[: SAMPLE_RATE // 4]))
    third = np.arange(len(spectrum)) * 4
    assert spectrum[(third > 2_950) & (third < 3_050)].max() > 0.02 * spectrum.max()


def test_stereo_decodes_to_mix(track: Recording) -> None:
    assert track.sides is not None
    for layout in ("5.1", "7.1"):
        copy = CHANGES[f"stereo_in_{layout}"].make(track)
        assert copy is not None
        mix = track.sides.mean(axis=1)
        np.testing.assert_allclose(copy.samples[: len(mix)], mix - mix.mean(), atol=1e-4)


def test_centre_channel_decodes_to_mono(track: Recording) -> None:
    copy = CHANGES["mono_in_5.1"].make(track)
    assert copy is not None
    np.testing.assert_allclose(copy.samples, track.window.samples, atol=1e-4)


def test_surround_files_have_their_channels() -> None:
    for layout, channels in (("5.1", 6), ("7.1", 8)):
        written = robustness_files.surround(layout, {robustness_files.CENTRE: noise(4).samples})
        assert decoding.probe(written).channels == channels
        with av.open(io.BytesIO(written)) as file:
            assert file.streams.audio[0].layout.name == layout


def test_mono_track_has_no_stereo_change() -> None:
    assert CHANGES["stereo_in_5.1"].make(recording(noise(4))) is None
    assert "two channels" in CHANGES["stereo_in_5.1"].why_not


def test_sides_match_window(encode: Encode, tmp_path: Path) -> None:
    """Of a long track, the two channels of its loudest half minute."""
    quiet = noise(40).samples * np.linspace(0.1, 1, 40 * SAMPLE_RATE, dtype=np.float32)
    path = tmp_path / "long.wav"
    path.write_bytes(encode(np.stack([quiet, 0.5 * quiet]), SAMPLE_RATE, codec="pcm_f32le"))
    read = robustness_changes.read(path, "long")
    assert read.window.start == 9
    assert read.sides is not None
    np.testing.assert_allclose(read.sides.mean(axis=1), read.window.samples, atol=1e-6)
    np.testing.assert_allclose(read.sides[:, 1], 0.5 * read.sides[:, 0], atol=1e-6)


@pytest.mark.sweep
def test_every_change_of_a_track_can_be_analysed(track: Recording) -> None:
    made = dict(robustness_changes.copies(track, CHANGES))
    assert next(iter(made)) == UNCHANGED
    assert made.keys() == {UNCHANGED, *CHANGES} - {"other_30_s"}
    surround = {name for name in made if "_in_" in name}
    for name, clip in made.items():
        assert clip.samples.shape == (ANALYSIS_SAMPLES,), name
        assert clip.samples.dtype == np.float32, name
        assert np.isfinite(clip.samples).all(), name
        if name not in {UNCHANGED, *surround}:
            assert not np.array_equal(clip.samples, track.window.samples), name
    others = {clip.samples.tobytes() for name, clip in made.items() if name not in surround}
    assert len(others) == len(made) - len(surround)


def test_changes_are_chosen_by_group_and_by_name() -> None:
    assert robustness_changes.chosen([]) == list(USUAL)
    assert robustness_changes.chosen(["all"]) == list(CHANGES)
    assert robustness_changes.chosen(["phone", "level", "phone"]) == [*USUAL, *GROUPS["level"], "phone"]
    assert robustness_changes.chosen(robustness_changes.chosen(["air"])) == [*USUAL, *GROUPS["air"]]
    with pytest.raises(KeyError, match="cave"):
        robustness_changes.chosen(["air", "cave"])
