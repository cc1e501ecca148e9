"""Collaborative filtering, on listening data with a known structure."""

from __future__ import annotations

import builtins
from pathlib import Path

import listening
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from soundalike.errors import LibraryError, SoundalikeError
from soundalike.training import matrix_factorization
from soundalike.training.matrix_factorization import TrackFactors

TRACKS, USERS = 100, 250
BRIGHTNESS = listening.brightness_of(TRACKS)


@pytest.fixture(scope="module")
def made() -> tuple[pd.DataFrame, np.ndarray]:
    pytest.importorskip("implicit", reason="needs implicit, which CI has")
    return listening.plays_of(BRIGHTNESS, USERS)


@pytest.fixture(scope="module")
def found(made) -> TrackFactors:
    return matrix_factorization.factorise(made[0], seed=0)


def agreement(found: TrackFactors) -> float:
    """Rank correlation of similarity by factors and nearness in brightness, over pairs of tracks."""
    rows = [int(track) for track in found.tracks]
    pairs = np.triu_indices(len(rows), 1)
    near = listening.nearness(BRIGHTNESS[rows])
    return float(spearmanr((found.factors @ found.factors.T)[pairs], near[pairs]).statistic)


def test_factors_reflect_brightness(found):
    assert agreement(found) > 0.9


def test_low_regularisation_overfits(made, monkeypatch):
    monkeypatch.setattr(matrix_factorization, "REGULARISATION", 0.01)
    assert agreement(matrix_factorization.factorise(made[0], seed=0)) < 0.5


def test_popularity_is_left_out(made, found):
    popularity = made[1]
    np.testing.assert_allclose(np.linalg.norm(found.factors, axis=1), 1, atol=1e-5)
    rows = [int(track) for track in found.tracks]
    pairs = np.triu_indices(len(rows), 1)
    alike = listening.nearness(np.log(popularity[rows]))[pairs]
    similar = (found.factors @ found.factors.T)[pairs]
    assert abs(spearmanr(similar, alike).statistic) < 0.15


def test_counts(made, found):
    table, _ = made
    assert found.tracks == tuple(sorted(set(table["track"])))
    assert found.factors.shape == (len(found.tracks), matrix_factorization.FACTORS)
    assert found.factors.dtype == np.float32
    assert found.users == table["user"].nunique()
    assert found.plays == table["plays"].sum()


def test_factors_are_seeded(made, found):
    again = matrix_factorization.factorise(made[0], seed=0)
    np.testing.assert_array_equal(again.factors, found.factors)
    other = matrix_factorization.factorise(made[0], seed=1)
    assert not np.array_equal(other.factors, found.factors)
    assert agreement(other) > 0.9


def test_the_order_of_rows_does_not_matter(made, found):
    shuffled = made[0].sample(frac=1, random_state=0)
    np.testing.assert_array_equal(matrix_factorization.factorise(shuffled).factors, found.factors)


def test_too_few_listeners(made):
    few = made[0][made[0]["user"].isin([f"u{i}" for i in range(10)])]
    with pytest.raises(LibraryError, match=r"by 10 users of .* 40 factors need more"):
        matrix_factorization.factorise(few)


def test_without_the_package(made, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("implicit"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SoundalikeError, match=r"pip install 'soundalike\[train\]'") as caught:
        matrix_factorization.factorise(made[0])
    assert len(str(caught.value).splitlines()) == 1


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "plays.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reading(tmp_path):
    path = written(tmp_path, "\ufefftrack,plays,user,when\na, 2 ,u,x\na,1.5,u,y\nb,0,u,z\nb,1,ü,\n")
    table = matrix_factorization.read_plays(path)
    assert table.values.tolist() == [["u", "a", 3.5], ["ü", "b", 1.0]]


def test_ids_stay_text(tmp_path):
    table = matrix_factorization.read_plays(
        written(tmp_path, "user,track,plays\n007,0001,1\nNA,None,2\n")
    )
    assert table["track"].tolist() == ["0001", "None"]
    assert table["user"].tolist() == ["007", "NA"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("user,track\nu,a\n", "has no column plays; it needs user, track, plays"),
        ("", "is not a table that can be read"),
        ("user,track,plays\n", "has no plays in it"),
        ("user,track,plays\nu,a,0\n", "has no plays in it"),
        ("user,track,plays\nu,a,1\nu,b,-1\n", "row 3: plays is under 0"),
        ("user,track,plays\nu,a,many\n", "row 2: plays is not a number"),
        ("user,track,plays\nu,a,\n", "row 2: plays is not a number"),
        ("user,track,plays\nu,a,inf\n", "row 2: plays is not a number"),
        ("user,track,plays\n,a,1\n", "row 2: the user is empty"),
        ("user,track,plays\nu,,1\n", "row 2: the track is empty"),
        (b"user,track,plays\n\xff,a,1\n", "is not UTF-8"),
        ('user,track,plays\n"u,a,1\n', "is not a table that can be read"),
    ],
)
def test_a_malformed_table(text, reason, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(LibraryError) as caught:
        matrix_factorization.read_plays(path)
    message = str(caught.value)
    assert reason in message
    assert str(path) in message
    assert len(message.splitlines()) == 1


def test_a_missing_table(tmp_path):
    with pytest.raises(LibraryError, match=r"There is no file .*; please name a table"):
        matrix_factorization.read_plays(tmp_path / "none.csv")
    with pytest.raises(LibraryError, match=r"is not a table that can be read"):
        matrix_factorization.read_plays(tmp_path)


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_arbitrary_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"user,track,plays\n" + content)
    try:
        table = matrix_factorization.read_plays(path)
    except LibraryError:
        return
    assert (table["plays"] > 0).all()
    assert table["user"].ne("").all()
