"""Tests of damaged audio files: each is partly decoded or rejected."""

from __future__ import annotations

import mutations
import numpy as np
import pytest
from audio_files import FORMATS, check_message, clip_of, pcm, peak_hertz, refusal, rms, sine, stereo, wav
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE
from soundalike.errors import AudioError
from soundalike.features import spectral, spectrogram_image

FUZZED = ("wav-s16", "wav-f32", "flac", "ogg-opus", "mp3", "m4a-aac", "aac", "webm-opus")
FUZZ = settings(max_examples=50, deadline=None, derandomize=True)


@pytest.fixture(scope="session")
def ten_seconds(encode) -> dict[str, bytes]:
    rates = {name: mutations.rates(codec)[1] for name, (_, codec) in FORMATS.items()}
    return {
        name: encode(stereo(sine(10, rates[name])), rates[name], *kind) for name, kind in FORMATS.items()
    }


@pytest.mark.parametrize("name", ["mp3", "flac"])
def test_half_a_file_reports_how_much_was_decoded(name, encode):
    source = encode(sine(10, 44_100), 44_100, *FORMATS[name])
    clip = decoding.decode(source[: len(source) // 2])
    assert 4.0 < clip.duration < 6.0
    assert peak_hertz(clip) == pytest.approx(440.0, abs=1.0)
    (note,) = clip.notes
    assert note == f"The file is damaged: we could decode {clip.duration:.1f} s of 10.0 s."


@pytest.mark.sweep
@pytest.mark.parametrize("share", [0.002, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", FORMATS)
def test_truncated_file_decodes_partly_or_is_rejected(name, share, ten_seconds):
    source = ten_seconds[name]
    try:
        clip = decoding.decode(source[: int(share * len(source))])
    except AudioError as error:
        check_message(str(error))
    else:
        assert clip.duration <= 10.1
        assert np.isfinite(clip.samples).all()


@pytest.mark.parametrize("name", ["mp3", "aac", "m4a-aac", "m4a-alac", "webm-opus", "ogg-vorbis"])
def test_damage_in_the_middle_is_mentioned(name, ten_seconds):
    source = bytearray(ten_seconds[name])
    middle = len(source) // 2
    source[middle : middle + 2_000] = bytes(2_000)
    clip = decoding.decode(bytes(source))
    assert clip.duration < 10.0
    (note,) = clip.notes
    assert "damaged" in note


@pytest.mark.parametrize("data_size", [0, 10**6, 2**32 - 1])
def test_wav_header_with_wrong_length(data_size):
    clip = decoding.decode(wav(pcm(sine(4, SAMPLE_RATE)), data_size=data_size))
    assert clip.duration == pytest.approx(4.0, abs=0.01)


def test_wav_header_that_understates_its_length():
    assert "0.0 s long" in refusal(wav(pcm(sine(4, SAMPLE_RATE)), data_size=1_000))


@pytest.mark.parametrize(
    "lie",
    [{"byte_rate": 0}, {"byte_rate": 2**32 - 1}, {"block_align": 0}, {"block_align": 1}, {"bits": 0}],
)
def test_inconsistent_wav_header(lie):
    try:
        clip = decoding.decode(wav(pcm(sine(4, SAMPLE_RATE)), **lie))
    except AudioError as error:
        check_message(str(error))
    else:
        assert clip.duration == pytest.approx(4.0, abs=0.01)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_samples_become_silence(value, bits):
    samples = sine(4, SAMPLE_RATE).astype(f"<f{bits // 8}")
    samples[10_000:20_000] = value
    clip = decoding.decode(wav(samples.tobytes(), bits=bits, floating=True))
    assert np.isfinite(clip.samples).all()
    assert np.abs(clip.samples[11_000:19_000]).max() < 0.01
    assert rms(clip) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_nothing_but_nan_is_silent():
    samples = np.full(4 * SAMPLE_RATE, np.nan, "<f4")
    assert "silent" in refusal(wav(samples.tobytes(), bits=32, floating=True))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [1e6, 1e18, 1e30, 3e38])
def test_extreme_samples_are_rejected_or_usable(value):
    samples = sine(4, SAMPLE_RATE).astype("<f4")
    samples[10_000:20_000] = value
    try:
        clip = decoding.decode(wav(samples.tobytes(), bits=32, floating=True))
    except AudioError as error:
        check_message(str(error))
    else:
        mel = spectral.mel_spectrogram(analysis_window(clip))
        assert np.isfinite(mel).all()
        assert spectrogram_image.canvas(mel).shape == (480, 640, 3)


def concatenated(encode, name: str, *parts: tuple[int, int]) -> bytes:
    """Files of five seconds one after the other, each given by its channels and sample rate."""
    return b"".join(
        encode(np.stack([sine(5, rate)] * channels), rate, *FORMATS[name]) for channels, rate in parts
    )


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("mp3", (1, 44_100), (2, 48_000)),
        ("mp3", (2, 44_100), (2, 48_000)),
        ("aac", (1, 48_000), (2, 44_100)),
        ("ogg-flac", (1, 48_000), (1, 44_100)),
        ("ogg-flac", (2, 48_000), (1, 48_000)),
        ("ogg-vorbis", (2, 48_000), (2, 44_100)),
        ("ogg-opus", (1, 48_000), (2, 48_000)),
    ],
)
def test_what_follows_a_change_of_format_is_converted(name, first, second, encode):
    clip = decoding.decode(concatenated(encode, name, first, second))
    assert clip.duration == pytest.approx(10.0, abs=0.2)
    assert clip.notes == ()
    for part in (clip.samples[: 4 * SAMPLE_RATE], clip.samples[-4 * SAMPLE_RATE :]):
        assert peak_hertz(clip_of(part)) == pytest.approx(440.0, abs=0.5)
        assert rms(clip_of(part)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)


def test_a_change_to_a_format_that_is_not_read_ends_the_file(encode):
    clip = decoding.decode(concatenated(encode, "ogg-flac", (2, 48_000), (2, 4_000)))
    assert clip.duration == pytest.approx(5.0, abs=0.2)
    assert clip.notes == ("We used only the first part of the file, as the rest is in another form.",)


def test_a_concatenated_file_of_the_same_format_is_decoded(encode):
    clip = decoding.decode(concatenated(encode, "mp3", (2, 44_100), (2, 44_100)))
    assert clip.duration == pytest.approx(10.0, abs=0.2)


@FUZZ
@given(
    st.sampled_from(
        [b"", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS\0", b"ID3", b"\x1aE\xdf\xa3", b"\xff\xfb"]
    ),
    st.binary(max_size=4_096),
)
def test_random_bytes_are_rejected(start, rest):
    try:
        decoding.decode(start + rest)
    except AudioError as error:
        check_message(str(error))


@pytest.fixture(scope="session")
def short_files(encode) -> dict[str, bytes]:
    samples = stereo(sine(3.2, 8_000))
    return {name: encode(samples, 8_000, *FORMATS[name]) for name in FUZZED}


@pytest.mark.sweep
@pytest.mark.parametrize("name", FUZZED)
@FUZZ
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    header_edits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    cut=st.floats(0.05, 1),
)
def test_damaged_file_decodes_or_is_rejected(name, edits, header_edits, cut, short_files):
    source = bytearray(short_files[name])
    for share, value in edits:
        source[int(share * (len(source) - 1))] = value
    for position, value in header_edits:
        source[position] = value
    try:
        clip = decoding.decode(bytes(source[: int(cut * len(source))]))
    except AudioError as error:
        check_message(str(error))
    else:
        assert np.isfinite(clip.samples).all()
