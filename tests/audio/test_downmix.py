"""Tests of the mono downmix: channel weights, silent channels and DC offset."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest
from audio_files import refusal, sine, stereo
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.audio import decoding, downmix
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import SAMPLE_RATE, Clip
from soundalike.audio.resampling import Stream

RATE = 48_000
Encode = Callable[..., bytes]
SURROUND = ("2.1", "3.0", "quad", "5.0", "5.1", "5.1(side)", "6.1", "7.1", "7.1(wide)")


def names(layout: str) -> list[str]:
    return [channel.name for channel in av.AudioLayout(layout).channels]


def placed(layout: str, sounds: dict[str, np.ndarray]) -> np.ndarray:
    """Channels of a layout, of which some hold a sound [shape=(channels, n)]."""
    silent = np.zeros_like(next(iter(sounds.values())))
    return np.stack([sounds.get(name, silent) for name in names(layout)])


def decoded(encode: Encode, channels: np.ndarray, layout: str | None = None) -> Clip:
    return decoding.decode(encode(channels, RATE, "wav", "pcm_f32le", layout))


def _are_mixed(places: set[str]) -> bool:
    return places != {"LFE"}


def mixed(channels: np.ndarray, layout: str) -> np.ndarray:
    """As `decoded`, without a file, and without resampling."""
    stream = Stream(downmix.weights(names(layout)), SAMPLE_RATE, SAMPLE_RATE, None, False)
    for block in np.array_split(channels, 3, axis=1):
        stream.add(block.T)
    return stream.finish()[0]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (["FC"], [1]),
        (["LFE"], [0]),
        (["FL", "FR"], [1, 1]),
        (["DL", "DR"], [1, 1]),
        (["FL", "FR", "FC"], [0.7071, 0.7071, 1]),
        (["FL", "FR", "BL", "BR"], [1, 1, 0.7071, 0.7071]),
        (["FL", "FR", "FC", "LFE", "BL", "BR"], [0.7071, 0.7071, 1, 0, 0.5, 0.5]),
        (["FL", "FR", "FC", "LFE", "BC", "SL", "SR"], [0.7071, 0.7071, 1, 0, 0.5, 0.5, 0.5]),
        (["NONE"] * 6, [0.7071, 0.7071, 1, 0, 0.5, 0.5]),
        (["NONE"] * 2, [1, 1]),
    ],
)
def test_weights_are_those_of_bs_775(layout: list[str], expected: list[float]) -> None:
    found = downmix.weights(layout)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_level_of_each_channel_follows_its_weight(encode: Encode) -> None:
    weights = downmix.weights(names("7.1"))
    tones = [sine(4, hertz=100.0 * (place + 1), amplitude=0.1) for place in range(8)]
    samples = decoded(encode, np.stack(tones)).samples[: 4 * SAMPLE_RATE].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(samples)) / (len(samples) / 2)
    found = spectrum[[400 * (place + 1) for place in range(8)]]
    np.testing.assert_allclose(found, 0.1 * weights / weights.sum(), atol=1e-5)


@pytest.mark.parametrize("layout", ["quad", "5.1", "5.1(side)", "7.1"])
def test_stereo_inside_surround_is_stereo(layout: str, encode: Encode) -> None:
    left, right = sine(4), sine(4, hertz=550)
    expected = decoded(encode, stereo(left, right))
    surround = decoded(encode, placed(layout, {"FL": left, "FR": right}), layout)
    np.testing.assert_allclose(surround.samples, expected.samples, atol=1e-6)
    assert surround.notes == ()


@pytest.mark.parametrize("place", ["FL", "FC", "LFE", "BR"])
def test_mono_inside_surround_is_mono(place: str, encode: Encode) -> None:
    expected = decoded(encode, sine(4))
    surround = decoded(encode, placed("5.1", {place: sine(4)}), "5.1")
    np.testing.assert_allclose(surround.samples, expected.samples, atol=1e-6)
    assert surround.notes == ()


def test_a_channel_with_nothing_but_noise_is_empty(encode: Encode) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-5, 4 * RATE).astype(np.float32)
    found = decoded(encode, stereo(sine(4), hiss))
    np.testing.assert_allclose(found.samples, decoded(encode, sine(4)).samples, atol=1e-4)


def test_a_quiet_channel_is_not_empty(encode: Encode) -> None:
    found = decoded(encode, stereo(sine(4), 0.1 * sine(4)))
    np.testing.assert_allclose(found.samples, 0.55 * decoded(encode, sine(4)).samples, atol=1e-6)


def test_the_low_frequency_channel_is_left_out(encode: Encode) -> None:
    sounds = {"FL": sine(4), "FR": sine(4, hertz=550)}
    expected = decoded(encode, placed("5.1", sounds), "5.1")
    low = {"LFE": sine(4, hertz=60, amplitude=0.9)}
    np.testing.assert_allclose(
        decoded(encode, placed("5.1", sounds | low), "5.1").samples, expected.samples, atol=1e-6
    )


def test_unnamed_channels_have_the_default_layout(encode: Encode) -> None:
    channels = placed("5.1", {"FL": sine(4), "FC": sine(4, hertz=550), "LFE": sine(4, hertz=60)})
    nameless = encode(channels, RATE, "matroska", "pcm_s16le", "5.1")
    assert set(decoding.probe(nameless).layout) == {"NONE"}
    expected = decoded(encode, channels, "5.1")
    np.testing.assert_allclose(decoding.decode(nameless).samples, expected.samples, atol=1e-4)


@settings(derandomize=True, max_examples=50)
@given(st.sampled_from(SURROUND), st.data())
def test_level_is_independent_of_the_channels_with_sound(layout: str, data: st.DataObject) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 3_000).astype(np.float32)
    sound -= sound.mean()
    places = data.draw(st.sets(st.sampled_from(names(layout)), min_size=1).filter(_are_mixed))
    found = mixed(placed(layout, dict.fromkeys(places, sound)), layout)
    np.testing.assert_allclose(found, sound, atol=1e-6)


@settings(derandomize=True, max_examples=50)
@given(st.sampled_from(("mono", "stereo", *SURROUND)), st.data())
def test_dc_offset_of_a_channel_does_not_matter(layout: str, data: st.DataObject) -> None:
    count = len(names(layout))
    sounds = np.random.default_rng(1).normal(0, 0.1, (count, 3_000)).astype(np.float32)
    constants = data.draw(st.lists(st.floats(-1, 1, width=32), min_size=count, max_size=count))
    found = mixed(sounds + np.array(constants, np.float32)[:, None], layout)
    np.testing.assert_allclose(found, mixed(sounds, layout), atol=2e-6)
    assert abs(float(found.mean(dtype=np.float64))) < 1e-6


@pytest.mark.parametrize("constants", [(0.3, 0.3), (0.3, 0.0), (0.3, -0.3)])
def test_stereo_with_dc_offsets_decodes_as_without(
    constants: tuple[float, float], encode: Encode
) -> None:
    sound = stereo(sine(4), sine(4, hertz=550))
    expected, expected_sides = decoding.decode_stereo(encode(sound, codec="pcm_f32le"))
    shifted = (sound + np.array(constants)[:, None]).astype(np.float32)
    clip, sides = decoding.decode_stereo(encode(shifted, codec="pcm_f32le"))
    np.testing.assert_allclose(clip.samples, expected.samples, atol=1e-6)
    assert clip.notes == ()
    assert sides is not None
    assert expected_sides is not None
    np.testing.assert_allclose(sides, expected_sides, atol=1e-6)


@pytest.mark.parametrize("constants", [(0.0, 0.0), (0.3, 0.3), (0.3, -0.3), (0.9, 0.0)])
def test_dc_offsets_do_not_hide_phase_cancellation(
    constants: tuple[float, float], encode: Encode
) -> None:
    sound = stereo(sine(4), -0.95 * sine(4)) + np.array(constants)[:, None]
    clip = decoded(encode, sound.astype(np.float32))
    np.testing.assert_allclose(clip.samples, decoded(encode, sine(4)).samples, atol=1e-6)
    assert len(clip.notes) == 1
    assert "cancel" in clip.notes[0]


def test_phase_cancellation_within_surround(encode: Encode) -> None:
    sounds = {"FL": sine(4), "FR": -0.95 * sine(4), "LFE": sine(4, hertz=60, amplitude=0.9)}
    clip = decoded(encode, placed("5.1", sounds), "5.1")
    np.testing.assert_allclose(clip.samples, decoded(encode, sine(4)).samples, atol=1e-6)
    assert "cancel" in clip.notes[0]


@pytest.mark.parametrize("constant", [0.3, -0.9])
def test_constant_samples_are_silent(constant: float, encode: Encode) -> None:
    still = np.full(4 * RATE, constant, np.float32)
    assert "silent" in refusal(encode(stereo(still, -still), codec="pcm_f32le"))
    assert "silent" in refusal(encode(still + 1e-4 * sine(4), codec="pcm_f32le"))


def test_dc_offset_does_not_affect_the_loudest_half_minute(encode: Encode) -> None:
    swelling = sine(60, 8_000) * np.linspace(0.01, 1, 60 * 8_000, dtype=np.float32)
    expected = analysis_window(decoding.decode(encode(swelling, 8_000, codec="pcm_f32le")))
    shifted = decoding.decode(encode(swelling - 0.5, 8_000, codec="pcm_f32le"))
    found = analysis_window(shifted)
    assert found.start == expected.start > 25
    np.testing.assert_allclose(found.samples, expected.samples, atol=1e-6)
