"""Training the MFCC autoencoder, on synthetic matrices that a small code can represent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audio_files import encoded
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from soundalike import paths
from soundalike.cli import train
from soundalike.errors import LibraryError
from soundalike.models.autoencoder import Autoencoder
from soundalike.training import autoencoder
from soundalike.training.autoencoder import TrainedAutoencoder

EPOCHS = 8


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder, "EPOCHS", EPOCHS)
        yield


def table(n: int, albums: int) -> pd.DataFrame:
    numbers = [i % albums for i in range(n)]
    return pd.DataFrame(
        {
            "album": [f"Album {number}" for number in numbers],
            "artist": [f"Artist {number}" for number in numbers],
            "genre": "",
        }
    )


def waves(n: int, seed: int = 0) -> np.ndarray:
    """Rows that rise and fall slowly together, each with a gain of its own sign."""
    rng = np.random.default_rng(seed)
    periods = rng.uniform(200, 600, (n, 1, 1))
    phases = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    signs = np.where(np.arange(20) % 2, 1, -1).reshape(1, 20, 1)
    slow = np.sin(2 * np.pi * np.arange(1_293) / periods + phases)
    matrices = signs * slow + 0.1 * rng.normal(size=(n, 20, 1_293))
    matrices -= matrices.mean(axis=2, keepdims=True)
    return (matrices / matrices.std(axis=2, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def told() -> list[str]:
    """What was said of the progress of `trained`."""
    return []


@pytest.fixture(scope="module")
def trained(told: list[str]) -> TrainedAutoencoder:
    return autoencoder.train(waves(24), table(24, 8), seed=1, on_epoch=told.append)


@pytest.mark.sweep
def test_beats_zero_on_held_out_tracks(trained):
    errors = trained.errors
    assert errors.zero == pytest.approx(1.0, abs=1e-4)
    assert errors.autoencoder < 0.5 * errors.zero
    assert errors.training < errors.zero


@pytest.mark.sweep
def test_figures_include_counts(trained):
    held_out, training = autoencoder.split(table(24, 8), seed=1)
    errors = trained.errors
    assert (errors.tracks, errors.trained_on) == (len(held_out), len(training))
    assert errors.tracks == 3 * errors.albums


@settings(max_examples=20)
@given(st.integers(0, 1_000), st.integers(8, 16), st.integers(2, 4))
def test_the_split_is_by_album_and_artist(seed, albums, albums_of_an_artist):
    tracks = table(3 * albums, albums)
    numbers = [int(album.split()[1]) for album in tracks["album"]]
    tracks["artist"] = [f"Artist {number // albums_of_an_artist}" for number in numbers]
    try:
        held_out, training = autoencoder.split(tracks, seed)
    except LibraryError:
        assume(False)
    for column in ("album", "artist"):
        assert not set(tracks[column].iloc[held_out]) & set(tracks[column].iloc[training])
    others = set(range(len(tracks))) - set(held_out) - set(training)
    assert {tracks["artist"].iloc[row] for row in others} <= set(tracks["artist"].iloc[held_out])
    assert 0.1 < len(held_out) / len(tracks) < 0.5


@pytest.mark.sweep
def test_the_same_seed_gives_the_same_weights(monkeypatch):
    monkeypatch.setattr(autoencoder, "EPOCHS", 1)
    matrices = waves(8)
    one, again, other = (
        autoencoder.fit(matrices, seed, lambda epoch: None).layers for seed in (0, 0, 1)
    )
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(one[0], other[0])


def test_the_linear_code_by_hand():
    """Rank-one stretches fit a code of one direction; what is beyond the 32 kept is missed whole."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(20 * 81, 33)))[0].T
    stretches = directions.reshape(33, 20, 81) * np.linspace(33, 1, 33)[:, None, None]
    padded = np.concatenate([*stretches, *np.zeros((31, 20, 81))], axis=1)
    matrices = padded.reshape(20, 4, 16 * 81).transpose(1, 0, 2)[:, :, :1_293].astype(np.float32)
    # The last three frames of every sixteenth stretch are cut off, so that its direction changes.
    error = autoencoder.linear_error(matrices, matrices)
    assert error == pytest.approx(1.0 / matrices.size, rel=0.05)


@pytest.mark.sweep
def test_progress_per_epoch(trained, told):
    assert len(told) == 2 * EPOCHS
    assert told[0] == f"held out, epoch 1 of {EPOCHS}"
    assert told[-1] == f"all, epoch {EPOCHS} of {EPOCHS}"


@pytest.mark.parametrize("columns", [{"album": "One"}, {"artist": "One"}])
def test_library_too_small_to_split(columns):
    with pytest.raises(LibraryError, match="training needs") as caught:
        autoencoder.split(table(8, 8).assign(**columns), seed=0)
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture(scope="module")
def noisy_library(tmp_path_factory) -> Path:
    """Eight short noises by as many artists, and a file that is none."""
    folder = tmp_path_factory.mktemp("library")
    rows = ["track_id,file,title,artist,album,genre"]
    for number in range(8):
        noise = 0.1 * np.random.default_rng(number).normal(size=4 * 8_000)
        (folder / f"{number}.wav").write_bytes(encoded(noise, 8_000))
        rows.append(f"{number},{number}.wav,Title,Artist {number},Album {number},")
    (folder / "words.wav").write_text("These are words.")
    rows.append("8,words.wav,Title,Artist,Album,")
    (folder / "tracks.csv").write_text("\n".join(rows))
    return folder


def run(*arguments: object):
    return CliRunner().invoke(train.train_mfcc_autoencoder, [str(argument) for argument in arguments])


@pytest.mark.sweep
def test_the_command_writes_weights_and_a_card(noisy_library, tmp_path, monkeypatch):
    monkeypatch.setattr(autoencoder, "EPOCHS", 1)
    out = tmp_path / "own.npz"
    done = run(noisy_library, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert "skipped words.wav" in done.stderr
    document = json.loads(done.stdout)
    assert document["tracks"] == 8
    assert document["held_out"]["zero"] == pytest.approx(1.0, abs=1e-3)
    assert sum(array.size for array in Autoencoder.load(out).layers) == document["weights"]
    card = out.with_suffix(".md").read_text(encoding="utf-8")
    assert f"| autoencoder | {document['held_out']['autoencoder']:.3f} |" in card


@pytest.mark.parametrize("out", ["own.txt", "nowhere/own.npz"])
def test_command_rejects_bad_destination(out, noisy_library, tmp_path):
    done = run(noisy_library, "--out", tmp_path / out)
    assert done.exit_code == 2
    assert "--out" in done.stderr


def test_the_bundled_card_reports_a_gain_on_held_out_tracks():
    card = (paths.MODELS / "mfcc_autoencoder.md").read_text(encoding="utf-8")
    errors = dict(re.findall(r"^\| ([a-z, ]+) \| ([0-9.]+) \|", card, re.MULTILINE))
    assert float(errors["autoencoder"]) < 0.7 < float(errors["predicting zero"])
