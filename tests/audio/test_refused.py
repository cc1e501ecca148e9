"""Tests of rejected audio files and their error messages."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from audio_files import pcm, peak_hertz, refusal, sine, stereo, wav

from soundalike.audio import decoding
from soundalike.audio.clip import ANALYSIS_SAMPLES, MIN_SECONDS, SAMPLE_RATE, SILENCE_DBFS, level_dbfs
from soundalike.errors import AudioError


@pytest.mark.parametrize("level", [0.0, 1e-4])
def test_silence(level, encode):
    assert "silent" in refusal(encode(sine(4, amplitude=level), codec="pcm_f32le"))


@pytest.mark.parametrize("sample_rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("levels", [(0.5,), (0.5, 0.5), (0.3, -0.9), (1e-3, 0.0)])
@pytest.mark.parametrize("codec", ["pcm_f32le", "pcm_s16le"])
def test_a_constant_is_silence(codec, levels, sample_rate, encode):
    samples = np.stack([np.full(8 * sample_rate, level, np.float32) for level in levels])
    assert "silent" in refusal(encode(samples, sample_rate, codec=codec))


def test_quiet_music_is_not_silence(encode):
    clip = decoding.decode(encode(sine(4, amplitude=3e-3), codec="pcm_f32le"))
    assert float(level_dbfs(clip.samples).max()) > SILENCE_DBFS


def test_too_short(encode):
    message = refusal(encode(sine(2.9)))
    assert "2.9 s" in message
    assert "3 s" in message


def test_three_seconds_are_enough(encode):
    assert decoding.decode(encode(sine(3.0))).duration == pytest.approx(3.0)


def test_empty(tmp_path):
    (tmp_path / "empty.wav").touch()
    assert "empty" in refusal(b"")
    assert "empty" in refusal(tmp_path / "empty.wav")


def test_text_file_named_mp3(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_text("These are words, and not music.\n" * 200)
    assert "read this as audio" in refusal(path)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{}'\n",
        '<?xml version="1.0"?><MPD><Period><BaseURL>{}</BaseURL></Period></MPD>',
    ],
    ids=["hls", "concat", "dash"],
)
def test_playlists_are_not_followed(playlist, encode, tmp_path):
    target = tmp_path / "target.wav"
    target.write_bytes(encode(sine(4)))
    for name in (target.as_uri(), str(target), target.name):
        text = playlist.format(name)
        assert "read this as audio" in refusal(text.encode())
        for suffix in (".m3u8", ".mp3"):
            path = tmp_path / f"list{suffix}"
            path.write_text(text)
            assert "read this as audio" in refusal(path)


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [
        ("matroska", "tta", "TTA"),
        ("matroska", "wavpack", "WavPack"),
        ("wav", "g726", "G.726"),
        ("wav", "adpcm_swf", "ADPCM"),
        ("3gp", "libopencore_amrnb", "AMR-NB"),
    ],
)
def test_a_codec_that_is_not_read_is_named(container, codec, name, encode):
    sample_rate = 8_000 if codec in ("libopencore_amrnb", "g726") else 44_100
    message = refusal(encode(sine(4, sample_rate), sample_rate, container, codec))
    assert name in message
    assert "Convert it to FLAC or MP3" in message
    assert "WAV" not in message


@pytest.mark.parametrize(("container", "codec", "name"), [("wv", "wavpack", "WavPack")])
def test_a_container_that_is_not_read_is_named(container, codec, name, encode):
    message = refusal(encode(stereo(sine(4)), 48_000, container, codec))
    assert (
        message
        == f"This is a {name} file, which we don't read. Convert it to FLAC or MP3 and try again."
    )


def test_a_damaged_file_is_not_called_another_format(encode):
    source = encode(sine(4))
    assert "damaged or incomplete" in refusal(source[:30])
    assert "damaged or incomplete" in refusal(encode(sine(4), 48_000, "flac", "flac")[:100])


def film(sound: bool) -> bytes:
    """Four seconds of a black picture, with a sine or without any sound."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        pictures = output.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        tones = output.add_stream("aac", rate=48_000, layout="mono") if sound else None
        for _ in range(40):
            black = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
            output.mux(pictures.encode(black))
        output.mux(pictures.encode(None))
        if tones is not None:
            frame = av.AudioFrame.from_ndarray(sine(4)[np.newaxis], format="flt", layout="mono")
            frame.sample_rate = 48_000
            output.mux(tones.encode(frame))
            output.mux(tones.encode(None))
    return file.getvalue()


def test_video_without_audio():
    assert "contains no audio" in refusal(film(sound=False))


def test_video_with_audio_is_decoded():
    clip = decoding.decode(film(sound=True))
    assert clip.duration == pytest.approx(4.0, abs=0.05)
    assert peak_hertz(clip) == pytest.approx(440.0, abs=0.3)


def test_cover_art_is_ignored(encode):
    picture = b"\0image/png\0\x03\0" + b"\x89PNG\r\n\x1a\n" + bytes(100)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    tag = b"ID3\x03\0\0\0\0" + bytes([len(frame) >> 7, len(frame) & 127]) + frame
    clip = decoding.decode(tag + encode(sine(4), 48_000, "mp3", "libmp3lame"))
    assert clip.duration == pytest.approx(4.0, abs=0.05)


def test_a_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["missing.wav", "x" * 5_000, "nul\0.wav", "missing/missing.wav"])
def test_file_name_that_cannot_be_opened(name, tmp_path):
    assert "cannot be opened" in refusal(f"{tmp_path}/{name}")


def test_file_names_are_never_urls():
    assert "cannot be opened" in refusal("http://127.0.0.1:9/song.mp3")


def test_too_many_bytes(monkeypatch, encode, tmp_path):
    source = encode(sine(6))
    monkeypatch.setattr(decoding, "MAX_BYTES", 2**18)
    message = refusal(source)
    assert "This file is 1 MB" in message
    assert "at most 0 MB" in message
    path = tmp_path / "own.wav"
    path.write_bytes(source)
    assert decoding.decode(path).duration == pytest.approx(6)


def test_limits_match_the_description():
    assert decoding.MAX_BYTES == 30 * 1024**2
    assert decoding.MAX_SECONDS == 20 * 60
    assert MIN_SECONDS == 3
    assert ANALYSIS_SAMPLES == 1_292 * 512


def test_too_long_by_its_header(encode, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_SECONDS", 5.0)
    source = encode(sine(6))
    assert "longer than" in refusal(source)
    with pytest.raises(AudioError, match="longer than"):
        decoding.probe(source)


def test_too_long_without_a_length_in_the_header(encode, monkeypatch):
    source = bytearray(encode(sine(7), 48_000, "flac", "flac"))
    source[21] &= 0xF0
    source[22:26] = bytes(4)
    assert decoding.decode(bytes(source)).duration == pytest.approx(7.0)
    monkeypatch.setattr(decoding, "MAX_SECONDS", 5.0)
    assert "longer than" in refusal(bytes(source))


def test_a_long_local_file_is_read_up_to_the_limit(encode, monkeypatch, tmp_path):
    path = tmp_path / "long.flac"
    path.write_bytes(encode(sine(7), 48_000, "flac", "flac"))
    whole = decoding.decode(path)
    assert whole.notes == ()
    monkeypatch.setattr(decoding, "MAX_SECONDS", 5.0)
    cut = decoding.decode(path)
    assert len(cut.samples) == 5 * SAMPLE_RATE
    assert cut.notes == ("The file is longer than 20 minutes, so we used only the beginning.",)
    np.testing.assert_allclose(cut.samples[:100_000], whole.samples[:100_000], atol=1e-6)


@pytest.mark.parametrize("channels", [0, 9, 255])
def test_channel_counts_outside_the_limits(channels):
    message = refusal(wav(bytes(200_000), channels=channels))
    assert f"{channels} channels" in message
    assert "1 to 8" in message


@pytest.mark.parametrize("sample_rate", [1, 4_000, 7_999, 384_001, 768_000])
def test_sample_rates_outside_the_limits(sample_rate):
    message = refusal(wav(pcm(sine(4)), sample_rate=sample_rate))
    assert f"{sample_rate} Hz" in message
    assert "between 8 and 384 kHz" in message


def test_sample_rate_of_zero():
    assert refusal(wav(pcm(sine(4)), sample_rate=0))
