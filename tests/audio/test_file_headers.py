"""A guessed length is never taken for the file's, and a real cut is still named."""

from __future__ import annotations

import io

import mutations
import numpy as np
import pytest
from audio_files import FORMATS, encoded, sine, stereo

from soundalike.audio import decoding, file_headers


def quiet_start(name: str, seconds: float = 8.0) -> bytes:
    """Silence and then noise, which takes many times the bits."""
    rng = np.random.default_rng(0)
    samples = rng.uniform(-0.5, 0.5, round(seconds * 44_100)).astype(np.float32)
    samples[: len(samples) // 2] = 0
    return encoded(stereo(samples), 44_100, *FORMATS[name])


def without_header(mp3: bytes) -> bytes:
    """An MP3 file without ID3 and without the frame that states its length."""
    first = mp3.index(b"\xff\xfb")
    return mp3[mp3.index(b"\xff\xfb", first + 4) :]


def test_mp3_without_a_header_is_not_called_damaged() -> None:
    source = without_header(quiet_start("mp3"))
    assert not file_headers.states_length("mp3", io.BytesIO(source), 8.0)
    assert decoding.probe(source).duration is None
    clip = decoding.decode(source)
    assert clip.duration == pytest.approx(8.0, abs=0.1)
    assert clip.notes == ()


def test_bare_aac_is_not_called_damaged() -> None:
    clip = decoding.decode(quiet_start("aac"))
    assert clip.duration == pytest.approx(8.0, abs=0.1)
    assert clip.notes == ()


def test_a_guess_does_not_make_a_file_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_SECONDS", 8.5)
    assert decoding.decode(quiet_start("aac")).duration == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("name", ["mp3", "flac", "m4a-aac", "wav-s16"])
def test_other_files_state_their_length(name: str) -> None:
    source = encoded(stereo(sine(4)), 48_000, *FORMATS[name])
    assert decoding.probe(source).duration == pytest.approx(4.0, abs=0.1)


def test_a_cut_mp3_with_a_header_is_damaged() -> None:
    source = encoded(stereo(sine(10, 44_100)), 44_100, *FORMATS["mp3"])
    (note,) = decoding.decode(source[: len(source) // 2]).notes
    assert note.startswith("The file is damaged: we could decode")
    assert note.endswith("of 10.0 s.")


@pytest.mark.parametrize("content", [b"", b"ID3", b"\xff\xfb\x90\x00" * 400, bytes(10_000)])
def test_damaged_mp3_states_no_length(content: bytes) -> None:
    assert not file_headers.states_length("mp3", io.BytesIO(content), 1.0)


def test_the_header_of_the_first_of_two_files_is_not_the_length() -> None:
    first, second = (encoded(sine(4, 44_100), 44_100, *FORMATS["mp3"]) for _ in range(2))
    assert decoding.probe(first).duration == pytest.approx(4.0, abs=0.1)
    assert decoding.probe(first + second).duration is None
    clip = decoding.decode(first + second)
    assert clip.duration == pytest.approx(8.0, abs=0.2)
    assert clip.notes == ()


def test_24_bits_in_32_are_told_from_floating_point_numbers() -> None:
    packed = mutations.wav_24_in_32()
    assert file_headers.is_wav_of_24_in_32(io.BytesIO(packed))
    plain = packed[:20] + b"\1\0" + packed[22:]
    assert not file_headers.is_wav_of_24_in_32(io.BytesIO(plain))
    assert decoding.probe(packed).duration == pytest.approx(mutations.SECONDS, abs=1e-3)
