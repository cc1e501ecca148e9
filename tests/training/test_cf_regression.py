"""Training factors from audio with the command, on plays determined by brightness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import listening
import numpy as np
import pandas as pd
import pytest
from audio_files import encoded
from click.testing import CliRunner
from scipy.stats import spearmanr

from soundalike import paths
from soundalike.audio.clip import ANALYSIS_SAMPLES, Clip
from soundalike.cli import train
from soundalike.errors import LibraryError, ModelError
from soundalike.features import spectral
from soundalike.models import ModelStore
from soundalike.representations import cf_regression
from soundalike.training import cf_regression as cf_training
from soundalike.training.cf_regression import Examples
from soundalike.training.matrix_factorization import TrackFactors

TRACKS = 60
BRIGHTNESS = listening.brightness_of(TRACKS)
PASSES = 70


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cf_training, "PASSES", PASSES)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A library of noises, with who played them, and a file that is none."""
    pytest.importorskip("implicit", reason="needs implicit, which CI has")
    folder = tmp_path_factory.mktemp("library")
    rows = ["track_id,file,title,artist,album,genre"]
    for number, brightness in enumerate(BRIGHTNESS):
        content = encoded(listening.sound(brightness, number), 22_050)
        (folder / f"{number}.wav").write_bytes(content)
        by = f"Artist {number % 20},Album {number % 20}"
        rows.append(f"{listening.track_id(number)},{number}.wav,Title,{by},")
    (folder / "words.wav").write_text("These are words.")
    rows.append("000w,words.wav,Title,Artist,Album,")
    (folder / "tracks.csv").write_text("\n".join(rows))
    plays = listening.plays_of(BRIGHTNESS, 250)[0]
    unheard = pd.DataFrame({"user": ["u0"] * 2, "track": ["elsewhere", "000w"], "plays": [3.0, 1.0]})
    listening.write(folder, pd.concat([plays, unheard]))
    return folder


def run(folder: Path, out: Path, *arguments: str, plays: str = "plays.csv"):
    ask = [str(folder), "--plays", str(folder / plays), "--out", str(out), *arguments]
    return CliRunner().invoke(train.train_cf_regression, ask)


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    """What the command said, and where it wrote."""
    out = tmp_path_factory.mktemp("trained") / "cf.npz"
    return run(folder, out, "--json"), out


@pytest.mark.sweep
def test_held_out_order_beats_chance(trained):
    done, _ = trained
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)["held_out"]
    assert scores["tracks"] >= 10
    assert scores["trained_on"] + scores["tracks"] == TRACKS
    assert scores["order"] > 0.4
    assert scores["cosine"] > scores["mean_cosine"]


@pytest.mark.sweep
def test_new_sounds_are_ordered_by_brightness(trained):
    """Sounds that nobody has played, at brightnesses in between."""
    _, out = trained
    models = ModelStore(factors=out)
    brightness = np.linspace(0.02, 0.98, 12)
    clips = [
        Clip(np.resize(listening.sound(value, 1_000 + i), ANALYSIS_SAMPLES))
        for i, value in enumerate(brightness)
    ]
    vectors = np.stack([cf_regression.embed(clip, models) for clip in clips])
    assert vectors.shape == (12, cf_regression.DIM) == (12, 40)
    assert vectors.dtype == np.float32
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = np.triu_indices(12, 1)
    near = listening.nearness(brightness)[pairs]
    assert spearmanr((vectors @ vectors.T)[pairs], near).statistic > 0.6
    np.testing.assert_array_equal(
        cf_regression.embed(clips[0], models), cf_regression.embed(Clip(clips[0].samples), models)
    )


@pytest.mark.sweep
def test_command_output(trained):
    done, out = trained
    document = json.loads(done.stdout)
    assert document["tracks"] == TRACKS
    assert document["tracks_played"] >= TRACKS + 1
    assert "skipped words.wav" in done.stderr
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| {document['held_out']['cosine']:.3f} |" in card
    assert ModelStore(factors=out).checksum("factors") == paths.sha256_of(out)


@pytest.mark.parametrize("out", ["own.txt", "nowhere/own.npz"])
def test_command_rejects_bad_destination(out, folder, tmp_path):
    done = run(folder, tmp_path / out)
    assert done.exit_code == 2
    assert "--out" in done.stderr


def test_plays_of_other_tracks(folder, tmp_path):
    plays = listening.plays_of(BRIGHTNESS, 250)[0]
    plays.assign(track="x" + plays["track"]).to_csv(folder / "others.csv", index=False)
    done = run(folder, tmp_path / "own.npz", plays="others.csv")
    assert isinstance(done.exception, LibraryError)
    assert "Only 0 of the library's tracks are in the table of plays; training needs 40" in str(
        done.exception
    )


def test_without_a_network(library_clip):
    clip = Clip(np.zeros(ANALYSIS_SAMPLES, np.float32))
    with pytest.raises(ModelError, match="needs a network trained on listening data") as caught:
        cf_regression.embed(clip, ModelStore())
    assert len(str(caught.value).splitlines()) == 1


def made_up(n: int, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 40)).astype(np.float32)
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    mels = np.zeros((n, 128, 130), np.float16)
    mels[:, 0, 0] = np.arange(n)
    return Examples(pd.DataFrame({"album": np.arange(n).astype(str)}), mels, factors)


class Knowing:
    """A network that knows the factors of made-up examples, and gives them turned into others."""

    def __init__(self, examples: Examples, change) -> None:
        self.factors = change(examples.factors)

    def __call__(self, mel: np.ndarray) -> np.ndarray:
        return self.factors[int(mel[0, 0])]


@pytest.mark.parametrize(
    ("change", "cosine", "order"),
    [
        (lambda factors: factors, 1, 1),
        (lambda factors: 3 * factors, 1, 1),
        (lambda factors: -factors, -1, 1),
        (lambda factors: np.ones_like(factors), None, 0),
    ],
    ids=["true", "longer", "mirrored", "one for all"],
)
def test_figures_of_known_predictions(change, cosine, order):
    examples = made_up(30)
    held_out, training = np.arange(10), np.arange(10, 30)
    scores = cf_training.score(Knowing(examples, change), examples, held_out, training)
    if cosine is not None:
        assert scores.cosine == pytest.approx(cosine, abs=1e-5)
    assert scores.order == pytest.approx(order, abs=0.05)
    mean = examples.factors[training].mean(axis=0)
    expected = examples.factors[:10] @ mean / np.linalg.norm(mean)
    assert scores.mean_cosine == pytest.approx(expected.mean(), abs=1e-5)
    assert (scores.tracks, scores.trained_on) == (10, 20)


def test_scale_is_from_training_tracks():
    rng = np.random.default_rng(0)
    mels = (10 * rng.normal(size=(6, 128, 200)) - 30).astype(np.float16)
    mels[5] = 1_000
    mean, deviation = cf_training._scale(mels, np.arange(5))
    exact = mels[:5].astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=(0, 2)), atol=1e-3)
    np.testing.assert_allclose(deviation, exact.std(axis=(0, 2)), rtol=1e-4)


def test_segments_are_from_their_rows():
    mels = np.broadcast_to(np.arange(4)[:, None, None], (4, 128, 300)) + np.arange(300) / 1_000
    drawn = cf_training._stretches(
        mels.astype(np.float16), np.array([2, 0, 3]), np.random.default_rng(0)
    )
    assert drawn.shape == (3, 129, 128)
    np.testing.assert_array_equal(np.floor(drawn[:, 0, 0]), [2, 0, 3])
    assert (np.diff(drawn[:, :, 0], axis=1) >= 0).all()


@pytest.mark.sweep
def test_training_is_seeded(monkeypatch):
    monkeypatch.setattr(cf_training, "PASSES", 2)
    examples = made_up(10)
    rows = np.arange(10)
    one, again, other = (
        cf_training.fit(examples, rows, seed, lambda name: None).layers for seed in (0, 0, 1)
    )
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one[0], other[0])


@pytest.mark.sweep
def test_extracted_spectrograms_match_clips(folder):
    from soundalike.audio import decoding
    from soundalike.audio.analysis_window import analysis_window
    from soundalike.datasets import library

    source = library.load(folder)
    ids = tuple(listening.track_id(number) for number in range(50))
    found = TrackFactors(ids, np.eye(50, 40, dtype=np.float32), 1, 1.0)
    examples, skipped = cf_training.extract(source, found)
    assert len(examples.tracks) == 50
    assert skipped == ()
    np.testing.assert_array_equal(examples.factors, found.factors)
    clip = analysis_window(decoding.decode(source.path(7)))
    levelled = cf_regression.at_one_level(clip)
    np.testing.assert_allclose(examples.mels[7], spectral.log_mel(levelled), atol=0.05)
