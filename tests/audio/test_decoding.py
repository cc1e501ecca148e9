"""Tests of decoding and of the choice of the analysis window."""

from __future__ import annotations

import subprocess
import sys

import mutations
import numpy as np
import pytest
from audio_files import FORMATS, clip_of, peak_hertz, rms, sine, stereo
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import ANALYSIS_SAMPLES, SAMPLE_RATE, Clip, clock, level_dbfs


@pytest.mark.parametrize("name", FORMATS)
def test_every_accepted_format_decodes(name, encode):
    container, codec = FORMATS[name]
    clip = decoding.decode(encode(stereo(sine(4)), 48_000, container, codec))
    assert clip.sample_rate == SAMPLE_RATE == 22_050
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert clip.notes == ()
    assert clip.duration == clip.source_duration == pytest.approx(4.0, abs=0.05)
    assert peak_hertz(clip) == pytest.approx(440.0, abs=SAMPLE_RATE / len(clip.samples))
    assert 20 * np.log10(rms(clip) / (0.5 / np.sqrt(2))) == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize(
    "sample_rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000, 352_800, 384_000]
)
def test_sample_rates(sample_rate, encode):
    clip = decoding.decode(encode(sine(4, sample_rate), sample_rate))
    assert clip.duration == pytest.approx(4.0, abs=0.001)
    assert peak_hertz(clip) == 440.0
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_24_bits_in_32_have_the_right_scale():
    clip = decoding.decode(mutations.wav_24_in_32())
    packed = mutations.seeds("wav-s24")[3]
    assert clip.duration == pytest.approx(mutations.SECONDS)
    np.testing.assert_allclose(clip.samples, decoding.decode(packed).samples, atol=1e-5)


def test_frequencies_above_11_khz_do_not_alias(encode):
    clip = decoding.decode(encode(sine(4) + sine(4, hertz=15_000, amplitude=0.4)))
    spectrum = np.abs(np.fft.rfft(clip.samples * np.hanning(len(clip.samples))))
    folded = spectrum[round(7_050 * clip.duration)]
    assert 20 * np.log10(folded / spectrum.max()) < -80


def test_both_sides_of_stereo_are_averaged(encode):
    clip = decoding.decode(encode(stereo(sine(4), 0.5 * sine(4)), codec="pcm_f32le"))
    assert rms(clip) == pytest.approx(0.375 / np.sqrt(2), rel=1e-3)
    assert clip.notes == ()


@pytest.mark.parametrize(("layout", "channels"), [("3.0", 3), ("quad", 4), ("5.1", 6), ("6.1", 7)])
def test_surround(layout, channels, encode):
    clip = decoding.decode(encode(np.stack([sine(4)] * channels), layout=layout))
    assert peak_hertz(clip) == 440.0
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("codec", ["pcm_s16le", "flac"])
def test_eight_channels(codec, encode, tmp_path):
    # In a process of its own: a frame of eight planes is where a decoder can read past their end.
    path = tmp_path / "surround.audio"
    path.write_bytes(encode(np.stack([sine(4)] * 8), 48_000, codec.replace("pcm_s16le", "wav"), codec))
    code = (
        "import sys; from soundalike.audio import decoding; clip = decoding.decode(sys.argv[1]);"
        "print(clip.duration, abs(clip.samples).max())"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:200]
    assert [float(word) for word in done.stdout.split()] == pytest.approx([4.0, 0.5], abs=0.01)


def test_path_and_bytes_give_the_same(library_clip):
    from_path = decoding.decode(library_clip)
    for source in (str(library_clip), library_clip.read_bytes()):
        clip = decoding.decode(source)
        np.testing.assert_array_equal(clip.samples, from_path.samples)
        assert clip.notes == from_path.notes


def test_library_clip_is_half_a_minute_without_notes(library_clip):
    clip = decoding.decode(library_clip)
    assert clip.duration == pytest.approx(30.0, abs=0.05)
    assert clip.notes == ()
    assert clip.start == 0.0


@pytest.mark.parametrize("right", [-1.0, -0.9])
def test_phase_inverted_stereo_is_not_silent(right, encode):
    source = encode(stereo(sine(4), right * sine(4)), codec="pcm_f32le")
    clip = decoding.decode(source)
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert [note for note in clip.notes if "cancel" in note] == list(clip.notes) != []


def test_the_louder_channel_replaces_phase_inverted_stereo(encode):
    clip = decoding.decode(encode(stereo(0.9 * sine(4), -sine(4)), codec="pcm_f32le"))
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_a_quieter_mono_mix_is_kept(encode):
    clip = decoding.decode(encode(stereo(sine(4), sine(4, hertz=550)), codec="pcm_f32le"))
    assert rms(clip) == pytest.approx(0.25, rel=1e-2)
    assert clip.notes == ()


def test_probe_reads_the_header(encode):
    tags = {"TITLE": "Evening", "artist": "Someone"}
    source = encode(stereo(sine(4, 44_100)), 44_100, "flac", "flac", tags=tags)
    header = decoding.probe(source)
    assert (header.container, header.codec) == ("flac", "flac")
    assert (header.channels, header.sample_rate) == (2, 44_100)
    assert header.duration == pytest.approx(4.0, abs=0.01)
    assert header.tags["title"] == "Evening"
    assert header.tags["artist"] == "Someone"


def test_probe_decodes_nothing(encode):
    source = bytearray(encode(sine(4), 48_000, "flac", "flac"))
    source[len(source) // 4 :] = bytes(len(source) - len(source) // 4)
    assert decoding.probe(bytes(source)).duration == pytest.approx(4.0)


@pytest.mark.parametrize("seconds", [3.0, 10.0, 29.5, 30.5, 61.0, 300.0])
def test_the_window_has_the_same_length_whatever_the_clip(seconds):
    clip = clip_of(np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE)))
    window = analysis_window(clip)
    assert len(window.samples) == ANALYSIS_SAMPLES
    assert window.samples.dtype == np.float32
    assert window.source_duration == clip.duration


def test_a_clip_of_the_right_length_is_its_own_window():
    clip = clip_of(np.ones(ANALYSIS_SAMPLES))
    assert analysis_window(clip) is clip


def test_a_window_of_a_window_is_the_same():
    window = analysis_window(clip_of(np.random.default_rng(0).normal(0, 0.1, 800_000)))
    assert analysis_window(window) is window


@pytest.mark.parametrize("n", [3 * SAMPLE_RATE, 220_501, ANALYSIS_SAMPLES - 1])
def test_a_shorter_clip_is_repeated(n):
    clip = clip_of(np.random.default_rng(0).normal(0, 0.1, n))
    window = analysis_window(clip)
    np.testing.assert_array_equal(window.samples, clip.samples[np.arange(ANALYSIS_SAMPLES) % n])
    assert window.start == 0.0


@pytest.mark.parametrize(
    ("seconds", "note"),
    [
        (10.0, "This clip is only 10.0 s long, so we looped it to 30 s."),
        (29.5, None),
        (30.5, None),
        (65.0, "We analysed the loudest 30 seconds, 0:00 to 0:30 of 1:05."),
    ],
)
def test_notes_are_appended_to_existing_notes(seconds, note):
    clip = Clip(np.full(round(seconds * SAMPLE_RATE), 0.1, np.float32), notes=("A remark.",))
    assert analysis_window(clip).notes == (("A remark.", note) if note else ("A remark.",))


@pytest.mark.parametrize("at", [0, 17, 47, 90])
def test_the_loudest_half_minute_is_chosen(at):
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.01, 120 * SAMPLE_RATE)
    samples[at * SAMPLE_RATE : (at + 30) * SAMPLE_RATE + 22] *= 20
    window = analysis_window(clip_of(samples))
    assert window.start == pytest.approx(min(at, 89), abs=0.01)
    assert window.source_duration == 120.0
    first = round(window.start * SAMPLE_RATE)
    np.testing.assert_array_equal(
        window.samples, samples[first : first + ANALYSIS_SAMPLES].astype(np.float32)
    )
    assert window.notes == (
        f"We analysed the loudest 30 seconds, {clock(window.start)} to "
        f"{clock(window.start + 30)} of 2:00.",
    )


@pytest.mark.parametrize("start", [0, 12.5, 42, 59])
def test_a_chosen_start_picks_exactly_those_samples(start):
    samples = np.random.default_rng(0).normal(0, 0.01, 90 * SAMPLE_RATE)
    samples[20 * SAMPLE_RATE : 51 * SAMPLE_RATE] *= 20
    window = analysis_window(clip_of(samples), start)
    first = round(start * SAMPLE_RATE)
    assert window.start == first / SAMPLE_RATE
    np.testing.assert_array_equal(
        window.samples, samples[first : first + ANALYSIS_SAMPLES].astype(np.float32)
    )
    assert window.notes == (
        f"We analysed the half minute that you chose, {clock(start)} to {clock(start + 30)} of 1:30.",
    )


@pytest.mark.parametrize("start", [60, 89, 1e9])
def test_a_start_beyond_the_end_is_clipped_to_the_last_half_minute(start):
    samples = np.random.default_rng(0).normal(0, 0.1, 90 * SAMPLE_RATE)
    window = analysis_window(clip_of(samples), start)
    np.testing.assert_array_equal(window.samples, samples[-ANALYSIS_SAMPLES:].astype(np.float32))
    assert clock(window.start) == "1:00"


@pytest.mark.parametrize("start", [float("nan"), float("inf"), -1.0])
def test_what_is_no_start_is_refused(start):
    clip = clip_of(np.random.default_rng(0).normal(0, 0.1, 90 * SAMPLE_RATE))
    with pytest.raises(ValueError, match="can't start"):
        analysis_window(clip, start)


def test_a_short_clip_has_no_start_to_choose():
    clip = clip_of(np.random.default_rng(0).normal(0, 0.1, 10 * SAMPLE_RATE))
    np.testing.assert_array_equal(analysis_window(clip, 5).samples, analysis_window(clip).samples)


def test_the_earliest_of_equally_loud_half_minutes_is_chosen():
    signs = np.random.default_rng(0).choice([-0.1, 0.1], 100 * SAMPLE_RATE)
    signs[: 10 * SAMPLE_RATE - SAMPLE_RATE // 20] = 0
    assert analysis_window(clip_of(signs)).start == 10.0


def test_a_single_click_does_not_move_the_window():
    samples = np.random.default_rng(0).normal(0, 0.01, 90 * SAMPLE_RATE)
    samples[50 * SAMPLE_RATE :] *= 3
    samples[5 * SAMPLE_RATE : 5 * SAMPLE_RATE + 100] = 1.0
    assert analysis_window(clip_of(samples)).start >= 50.0


def test_silence_around_music_is_skipped():
    samples = np.zeros(100 * SAMPLE_RATE)
    samples[40 * SAMPLE_RATE : 75 * SAMPLE_RATE] = sine(35, SAMPLE_RATE)
    window = analysis_window(clip_of(samples))
    assert 40.0 <= window.start <= 44.0
    assert float(level_dbfs(window.samples).min()) > -10


def test_levels_of_known_signals():
    assert level_dbfs(sine(1, SAMPLE_RATE, 1_000, 1.0)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbfs(np.ones(SAMPLE_RATE, np.float32)) == pytest.approx(0.0, abs=1e-5)
    assert level_dbfs(np.zeros(SAMPLE_RATE, np.float32)) == pytest.approx(-200.0)
    assert len(level_dbfs(np.ones(SAMPLE_RATE, np.float32))) == 20
    assert len(level_dbfs(np.ones(100, np.float32))) == 1


@settings(derandomize=True)
@given(st.floats(0.01, 1.0), st.integers(0, 1_000))
def test_ten_times_the_amplitude_is_20_db(amplitude, seed):
    samples = np.random.default_rng(seed).uniform(-amplitude, amplitude, 5_000).astype(np.float32)
    difference = level_dbfs(10 * samples) - level_dbfs(samples)
    np.testing.assert_allclose(difference, 20.0, atol=1e-3)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (61.4, "1:01"), (600, "10:00"), (3_725, "62:05")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_clips_are_compared_by_identity():
    samples = np.zeros(10, np.float32)
    one, other = Clip(samples), Clip(samples)
    assert one == one
    assert one != other
    assert len({one, other}) == 2


def test_both_sides_of_a_stereo_file_come_with_its_clip(encode):
    source = encode(stereo(sine(4), np.zeros(4 * 48_000)), codec="pcm_f32le")
    clip, sides = decoding.decode_stereo(source)
    assert sides.shape == (len(clip.samples), 2)
    assert np.abs(sides[:, 0]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sides[:, 1]).max() < 1e-3
    np.testing.assert_allclose(sides[:, 0], clip.samples, atol=1e-5)
    np.testing.assert_array_equal(decoding.decode(source).samples, clip.samples)


def test_a_mono_file_has_no_sides(encode):
    assert decoding.decode_stereo(encode(sine(4)[np.newaxis], codec="pcm_f32le"))[1] is None


def test_sides_that_cancel_are_both_kept(encode):
    clip, sides = decoding.decode_stereo(encode(stereo(sine(4), -sine(4)), codec="pcm_f32le"))
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    np.testing.assert_allclose(sides[:, 0], -sides[:, 1], atol=1e-6)


def test_the_window_of_a_long_clip_does_not_keep_all_of_it():
    long = Clip(np.random.default_rng(0).normal(0, 0.1, 60 * SAMPLE_RATE).astype(np.float32))
    assert analysis_window(long).samples.base is None
