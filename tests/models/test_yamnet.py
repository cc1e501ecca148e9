"""Tests of YAMNet: its front end by hand, reference values, and equal outputs of all runtimes."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest

from soundalike import paths
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.errors import ModelError
from soundalike.models import FILES, SUMS, ModelStore, patches, runtime, yamnet, yamnet_features

WEIGHTS = paths.MODELS / FILES["yamnet"]
CLASSES = WEIGHTS.with_name(yamnet.CLASSES_FILE)
HEADER = "index,mid,display_name"
FMA_CLIPS = ("000002", "000182", "000690")


@pytest.fixture(scope="module")
def reference(shared) -> dict[str, np.ndarray]:
    with np.load(shared / "models" / "yamnet_reference.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def keras_yamnet() -> yamnet.YAMNet:
    """The network on TensorFlow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runtime.VARIABLE, runtime.TENSORFLOW)
        return yamnet.YAMNet(WEIGHTS)


def noise(n: int = 2, seed: int = 0) -> np.ndarray:
    """Patches of numbers as a log mel spectrogram has them."""
    return np.random.default_rng(seed).uniform(-6.9, 2, (n, 96, 64)).astype(np.float32)


def sound(n: int, seed: int = 0) -> np.ndarray:
    return (0.2 * np.random.default_rng(seed).normal(size=n)).astype(np.float32)


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    one, other = one.astype(np.float64), other.astype(np.float64)
    return (one * other).sum(axis=-1) / np.linalg.norm(one, axis=-1) / np.linalg.norm(other, axis=-1)


def npz(**values) -> bytes:
    file = io.BytesIO()
    np.savez(file, **values)
    return file.getvalue()


@pytest.mark.reference
def test_patches_are_those_of_the_reference(reference):
    found = yamnet.patches(yamnet.log_mel(reference["samples_16k"]))
    assert found.shape == reference["patches"].shape == (9, 96, 64)
    np.testing.assert_allclose(found, reference["patches"], rtol=0, atol=1e-4)


@pytest.mark.reference
def test_openvino_gives_the_reference_values_in_single_precision(reference, exact_models):
    found = exact_models.yamnet(reference["patches"])
    np.testing.assert_allclose(found.embeddings, reference["embeddings"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.logits, reference["logits"], rtol=0, atol=0.02)


@pytest.mark.reference
def test_keras_gives_the_reference_values(reference, keras_yamnet):
    found = keras_yamnet(reference["patches"])
    np.testing.assert_allclose(found.embeddings, reference["embeddings"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.logits, reference["logits"], rtol=0, atol=0.02)


@pytest.mark.reference
@pytest.mark.parametrize("track", FMA_CLIPS)
def test_whole_clips_are_those_of_the_reference(track, shared, reference, exact_models):
    """As far as two decoders of MP3 and two resamplers allow."""
    import soxr

    clip = analysis_window(decoding.decode(shared / "seed_reference/fma_clips" / f"{track}.mp3"))
    samples = soxr.resample(clip.samples, clip.sample_rate, patches.SAMPLE_RATE, quality="HQ")
    found = exact_models.yamnet(yamnet.patches(yamnet.log_mel(samples)))
    for name, mean in (
        ("embedding", found.embeddings.mean(axis=0)),
        ("probability", found.probabilities.mean(axis=0)),
    ):
        alike = {other: cosines(mean, reference[f"{other}_{name}_mean"]) for other in FMA_CLIPS}
        assert alike[track] == max(alike.values()), alike
        assert alike[track] >= 0.97, alike


def test_all_runtimes_agree(library_clip, models, exact_models, keras_yamnet):
    clip = analysis_window(decoding.decode(library_clip))
    batch = yamnet.patches(yamnet.spectrogram(clip))
    expected = keras_yamnet(batch)
    single = exact_models.yamnet(batch)
    np.testing.assert_allclose(single.embeddings, expected.embeddings, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(single.logits, expected.logits, rtol=1e-3, atol=1e-2)
    chosen = models.yamnet(batch)
    mean = expected.embeddings.mean(axis=0)
    assert cosines(chosen.embeddings.mean(axis=0), mean) >= 0.999
    assert cosines(chosen.embeddings, expected.embeddings).min() > 0.99


def test_the_logits_follow_from_the_embedding(exact_models):
    found = exact_models.yamnet(noise())
    with np.load(WEIGHTS, allow_pickle=False) as arrays:
        kernel, bias = arrays["classes_kernel"].astype(np.float64), arrays["classes_bias"]
    expected = found.embeddings.astype(np.float64) @ kernel + bias
    np.testing.assert_allclose(found.logits, expected, rtol=0, atol=1e-3)


def test_probabilities_are_the_logistic_function_of_the_logits():
    logits = np.array([[-800.0, -2.0, 0.0, 3.0, 800.0]], np.float32)
    found = yamnet.Output(np.zeros((1, 1), np.float32), logits).probabilities
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert found.dtype == np.float32


def test_shapes_and_ranges(models):
    found = models.yamnet(noise(3))
    assert found.embeddings.shape == (3, yamnet.DIM) == (3, 1_024)
    assert found.logits.shape == found.probabilities.shape == (3, yamnet.N_CLASSES) == (3, 521)
    assert found.embeddings.min() >= 0
    assert ((found.probabilities >= 0) & (found.probabilities <= 1)).all()
    assert found.embeddings.dtype == found.logits.dtype == np.float32


def test_a_batch_gives_what_its_members_give(exact_models):
    batch = noise(3)
    together = exact_models.yamnet(batch)
    for row, patch in enumerate(batch):
        alone = exact_models.yamnet(patch[np.newaxis])
        np.testing.assert_allclose(together.embeddings[row], alone.embeddings[0], atol=1e-4)


def test_mel_weights_band_by_band():
    """Triangles by their definition, bin by bin: equally far apart on the HTK mel scale."""

    def mel(hertz: float) -> float:
        return 2_595 * np.log10(1 + hertz / 700)

    step = (mel(7_500) - mel(125)) / 65
    found = yamnet.mel_weights()
    assert found.shape == (257, 64)
    for at in range(257):
        height = mel(at * 31.25)
        for band in range(64):
            away = abs(height - (mel(125) + (band + 1) * step)) / step
            assert found[at, band] == pytest.approx(max(0.0, 1 - away), abs=2e-3)
    # Bins between the centres of the first and the last band count once over two bands.
    inner = [at for at in range(257) if mel(125) + step <= mel(at * 31.25) <= mel(7_500) - step]
    np.testing.assert_allclose(found[inner].sum(axis=1), 1, atol=1e-5)
    assert not found[:5].any()
    assert not found[241:].any()


def test_the_spectrogram_by_hand():
    samples = sound(8_000)
    found = yamnet.log_mel(samples)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), 400)[::160]
    magnitude = np.abs(np.fft.rfft(frames * window, 512))
    np.testing.assert_allclose(
        found, np.log(magnitude @ yamnet.mel_weights() + 0.001), rtol=0, atol=1e-4
    )
    assert found.shape == (48, 64)
    assert found.dtype == np.float32


def test_silence_is_the_logarithm_of_the_offset():
    frames = yamnet.spectrogram(Clip(np.zeros(66_150, np.float32)))
    np.testing.assert_allclose(frames, np.log(1e-3), rtol=1e-6)


def test_half_a_minute_has_61_or_62_patches(library_clip):
    clip = analysis_window(decoding.decode(library_clip))
    frames = yamnet.spectrogram(clip)
    cut = yamnet.patches(frames)
    assert len(cut) in (61, 62)
    assert cut.shape[1:] == (96, 64)
    np.testing.assert_array_equal(cut[5], frames[240:336])
    assert len(frames) - (len(cut) - 1) * 48 - 96 < 48


def test_patches_need_a_second():
    frames = np.zeros((96, 64), np.float32)
    assert yamnet.patches(frames).shape == (1, 96, 64)
    assert len(yamnet.patches(np.zeros((143, 64), np.float32))) == 1
    assert len(yamnet.patches(np.zeros((144, 64), np.float32))) == 2
    with pytest.raises(ValueError, match="more than the 95 there are"):
        yamnet.patches(frames[:95])
    with pytest.raises(ValueError, match="a patch has 96 frames"):
        yamnet_features.prepare(Clip(sound(15_000)))


def test_class_names():
    names = yamnet.class_names(WEIGHTS)
    assert len(names) == len(set(names)) == 521
    assert names[0] == "Speech"
    assert names[132] == "Music"
    assert names[1] == "Child speech, kid speaking"


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        HEADER.encode(),
        CLASSES.read_bytes() + b"521,/m/x,Another\n",
        CLASSES.read_bytes()[:-40],
        CLASSES.read_bytes().replace(b"display_name", b"name"),
        CLASSES.read_bytes().replace(b"Speech", b"\xff\xfe"),
        CLASSES.read_bytes().replace(b",/m/09x0r,Speech", b""),
        CLASSES.read_bytes().replace(b"Speech", b"x" * 200_000),
    ],
    ids=["missing", "empty", "header", "one more", "cut", "column", "no text", "short row", "long"],
)
def test_a_missing_or_damaged_table_of_classes(content, tmp_path):
    if content is not None:
        (tmp_path / yamnet.CLASSES_FILE).write_bytes(content)
    with pytest.raises(ModelError, match=r"is missing or damaged; please restore it\.$") as caught:
        yamnet.class_names(tmp_path / "yamnet_fp16.npz")
    assert str(tmp_path / yamnet.CLASSES_FILE) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"is missing; .*\.$"):
        yamnet.YAMNet(tmp_path / "none.npz")
    with pytest.raises(ModelError, match="is missing"):
        assert ModelStore(tmp_path).yamnet


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: WEIGHTS.read_bytes()[: 2**20],
        npz,
        lambda: npz(layer1_kernel=np.zeros(3), layer1_bias=np.zeros(3)),
        lambda: npz(layer1_kernel=np.array([None])),
    ],
    ids=["empty", "truncated", "no arrays", "other arrays", "objects"],
)
def test_a_damaged_file(make, tmp_path):
    path = tmp_path / "weights.npz"
    path.write_bytes(make())
    with pytest.raises(ModelError, match=r"is damaged; .*\.$") as caught:
        yamnet.YAMNet(path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(path) in str(caught.value)


def test_the_files_match_the_model_card():
    card = WEIGHTS.with_suffix(".md").read_text(encoding="utf-8")
    said = dict(re.findall(r"SHA-256 of `([^`]+)`: `([0-9a-f]{64})`", card))
    assert said == {path.name: paths.sha256_of(path) for path in (WEIGHTS, CLASSES)}
    assert "Licence: Apache License 2.0, Copyright Google LLC" in card
    assert "CC BY-SA 4.0" in card
    listed = Path(paths.MODELS / SUMS).read_text(encoding="utf-8").splitlines()
    assert f"{said[WEIGHTS.name]}  {WEIGHTS.name}" in listed
