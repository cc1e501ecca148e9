"""Robustness: recognition of changed copies of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_library import IDS, copy_library, write_index

from soundalike import representations
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.audio.clip import Clip
from soundalike.errors import ModelError
from soundalike.evaluation import robustness
from soundalike.evaluation.robustness import Found
from soundalike.evaluation.robustness_changes import USUAL
from soundalike.features import fingerprint
from soundalike.index import track_arrays
from soundalike.index.index import Index, load
from soundalike.index.track_table import TrackTable
from soundalike.models import ModelStore
from soundalike.playlist.clip_embeddings import ClipEmbeddings
from soundalike.representations import Representation


def spectrum(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Mean magnitude in 32 bands: all but deaf to time, and to level under cosine similarity."""
    frames = clip.samples[: len(clip.samples) // 2048 * 2048].reshape(-1, 2048)
    magnitudes = np.abs(np.fft.rfft(frames, axis=1)).mean(axis=0)
    return np.array([band.mean() for band in np.array_split(magnitudes[1:], 32)], np.float32)


def envelope(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """The waveform's first 8,192 samples: a shifted copy is another."""
    return clip.samples[:8192].astype(np.float32)


def without_models(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    raise ModelError("The model file x is missing; please restore it.")


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Representations that need no network."""
    for name, own_embed in (
        ("spectrum", spectrum),
        ("envelope", envelope),
        ("absent", without_models),
    ):
        dim = 8192 if name == "envelope" else 32
        made_up = Representation(name, name, dim, "Nothing.", own_embed=own_embed)
        monkeypatch.setitem(representations.REGISTRY, name, made_up)


@pytest.fixture
def real(tmp_path: Path, cheap: None) -> Index:
    """Six tracks of the library, indexed by the cheap representations, with their fingerprints."""
    folder = copy_library(tmp_path / "library")
    clips = [analysis_window(decoding.decode(folder / "clips" / f"{name}.opus")) for name in IDS]
    models = ModelStore()
    vectors = {
        "spectrum": np.stack([spectrum(clip, models) for clip in clips]),
        "envelope": np.stack([envelope(clip, models) for clip in clips]),
        "absent": np.eye(len(IDS), 32),
    }
    written = write_index(tmp_path / "index", vectors, tuple(vectors))
    prints = np.stack([fingerprint.of(clip) for clip in clips])
    np.save(written.folder / f"{track_arrays.FINGERPRINTS}.npy", prints)
    tracks = written.tracks.assign(file=[f"clips/{name}.opus" for name in IDS])
    manifest = written.manifest | {"library": {"folder": str(folder), "fingerprint": ""}}
    return replace(written, table=TrackTable.of(tracks), manifest=manifest)


def test_find_by_hand(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.array([[1, 0], [0, 1], [1, 1], [1, 0]])})
    copies = np.array([[1, 0], [2, 0], [1, 1], [0, 1]], np.float32)
    unchanged, louder, other, stranger = robustness.find(index, "vgg_mel", 0, {"vgg_mel": copies})
    # Track 3 is track 0 once more, and counts as before it.
    assert unchanged == Found(1.0, 2, 1.0)
    assert louder == Found(1.0, 2, 1.0)
    assert other == Found(pytest.approx(np.sqrt(0.5)), 4, 1.0)
    assert stranger == Found(0.0, 4, 1.0)


def test_similarity_is_relative_to_unchanged_clip(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.array([[1.0, 0.0], [0.0, 1.0]])})
    copies = np.array([[0.6, 0.8], [0.3, np.sqrt(0.91)]], np.float32)
    found = robustness.find(index, "vgg_mel", 0, {"vgg_mel": copies})
    assert [item.similarity for item in found] == pytest.approx([1.0, 0.5])


def test_zero_vectors_are_not_recognised(tmp_path: Path) -> None:
    index = write_index(tmp_path, {"vgg_mel": np.zeros((3, 2))})
    found = robustness.find(index, "vgg_mel", 1, {"vgg_mel": np.zeros((2, 2), np.float32)})
    assert found == [Found(0.0, 3, 1.0), Found(0.0, 3, 1.0)]


def around(degrees: Sequence[float]) -> np.ndarray:
    """Directions in the plane."""
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def with_duplicates(index: Index, *pairs: tuple[int, int]) -> Index:
    """An index whose duplicates are these pairs alone."""
    np.save(index.folder / f"{track_arrays.DUPLICATES}.npy", np.array(pairs, np.int32).reshape(-1, 2))
    return load(index.folder)


def test_kept_by_hand(tmp_path: Path) -> None:
    """Thirty tracks 3 degrees apart: a copy that is moved by so many has as many other neighbours."""
    index = with_duplicates(write_index(tmp_path, {"vgg_mel": around(3.0 * np.arange(30))}))
    copies = around([30.0, 30.5, 36.4, 87.0]).astype(np.float32)
    found = robustness.find(index, "vgg_mel", 10, {"vgg_mel": copies})
    # Unchanged: tracks 5 to 15 but for 10 itself, which no copy's ten have either.
    assert [item.kept for item in found] == [1.0, 1.0, 0.8, 0.0]
    assert [item.rank for item in found] == [1, 1, 5, 20]


def test_duplicates_are_excluded_from_nearest(tmp_path: Path) -> None:
    """Of twelve tracks one is asked about; without one more, which is its duplicate, ten are left."""
    index = write_index(tmp_path, {"vgg_mel": around(3.0 * np.arange(12))})
    vectors = {"vgg_mel": around([0.0, 33.0]).astype(np.float32)}
    for pairs, kept in (([], 0.9), ([(0, 11)], 1.0)):
        found = robustness.find(with_duplicates(index, *pairs), "vgg_mel", 0, vectors)
        assert [item.kept for item in found] == [1.0, kept]


def test_choice_of_tracks(real: Index) -> None:
    chosen = robustness.choose(real, 3, seed=1)
    assert chosen == robustness.choose(real, 3, seed=1)
    assert chosen == sorted(set(chosen))
    assert robustness.choose(real, 100, seed=0) == list(range(len(real)))
    assert robustness.choose(real, 0, seed=0) == []


def by(names: Sequence[str], *changes: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(names, changes or USUAL)


@pytest.mark.sweep
def test_measured_on_real_clips(real: Index) -> None:
    seen: list[str] = []
    found = robustness.measure(real, by(["spectrum", "envelope"]), [0, 4], ModelStore(), seen.append)
    assert seen == ["clips/0001.opus", "clips/0013.opus"]
    assert list(found) == ["spectrum", "envelope"]
    for of_change in found.values():
        assert list(of_change) == list(USUAL)
        louder = of_change["gain_6_db"]
        assert (louder["tracks"], louder["ranked_first"], louder["median_rank"]) == (2, 1, 1)
        assert louder["similarity"]["mean"] == pytest.approx(1, abs=1e-5)
        assert louder["kept"] == louder["known"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
        nothing = of_change["other_30_s"]
        assert (nothing["tracks"], nothing["similarity"]) == (0, None)
        assert "another 30 s" in nothing["reason"]
    kept, lost = (found[name]["shift_3_s"] for name in ("spectrum", "envelope"))
    assert kept["least"] > 0.95
    assert kept["ranked_first"] == 1
    assert abs(lost["similarity"]["mean"]) < 0.5
    assert found["spectrum"]["mp3_64_kbit"]["least"] > 0.9
    # With six tracks all are looked at, so that the fingerprint alone decides.
    assert kept["known"]["mean"] == lost["known"]["mean"] == 1


@pytest.mark.sweep
def test_air_changes(real: Index) -> None:
    changes = ("pink_20_db", "pink_5_db", "telephone", "semitone_up")
    found = robustness.measure(real, by(["spectrum"], *changes), [0, 4], ModelStore())["spectrum"]
    assert list(found) == list(changes)
    assert found["pink_20_db"]["least"] > found["pink_5_db"]["least"]
    assert found["pink_20_db"]["known"]["mean"] == 1
    # The fingerprint is of bands a semitone wide, so that a copy a semitone higher is another recording.
    assert found["semitone_up"]["known"]["mean"] == 0
    assert (
        found == robustness.measure(real, by(["spectrum"], *changes), [0, 4], ModelStore())["spectrum"]
    )


def test_changes_per_representation(real: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[str] = []
    made_up = representations.REGISTRY["envelope"]

    def counted(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
        embedded.append("envelope")
        return envelope(clip, models)

    monkeypatch.setitem(representations.REGISTRY, "envelope", replace(made_up, own_embed=counted))
    wanted = {"spectrum": ["gain_6_db", "gain_-6_db", "telephone"], "envelope": ["gain_6_db"]}
    found = robustness.measure(real, wanted, [0], ModelStore())
    assert {name: list(of_change) for name, of_change in found.items()} == wanted
    # The unchanged clip and one copy.
    assert len(embedded) == 2


@pytest.mark.sweep
def test_custom_embedding(real: Index) -> None:
    class Backwards(ClipEmbeddings):
        """Embeds a clip from its end."""

        def __init__(self, clip: Clip, index: Index, models: ModelStore) -> None:
            super().__init__(replace(clip, samples=clip.samples[::-1]), index, models)

    wanted = by(["spectrum"], "gain_-6_db")
    plain = robustness.measure(real, wanted, [0], ModelStore())
    backwards = robustness.measure(real, wanted, [0], ModelStore(), prepare=Backwards)
    assert plain["spectrum"]["gain_-6_db"]["known"]["mean"] == 1
    assert backwards["spectrum"]["gain_-6_db"]["known"]["mean"] == 0


def test_known_is_none_without_fingerprints(real: Index) -> None:
    (real.folder / f"{track_arrays.FINGERPRINTS}.npy").unlink()
    found = robustness.measure(real, by(["spectrum"], "gain_6_db"), [0], ModelStore())
    assert found["spectrum"]["gain_6_db"]["known"] is None
    assert found["spectrum"]["gain_6_db"]["kept"]["mean"] == 1


def test_failing_representation_has_reason(real: Index) -> None:
    found = robustness.measure(real, by(["spectrum", "absent"]), [0], ModelStore())
    assert found["spectrum"]["shift_1_s"]["tracks"] == 1
    assert list(found["absent"]) == list(USUAL)
    for facts in found["absent"].values():
        assert facts == {
            "tracks": 0,
            "similarity": None,
            "reason": "Not measured: The model file x is missing; please restore it.",
        }


def test_missing_audio(real: Index) -> None:
    gone = replace(real, manifest=real.manifest | {"library": {"folder": "/nowhere"}})
    found = robustness.measure(gone, by(["spectrum"]), [0], ModelStore())
    assert "cannot be opened" in found["spectrum"]["gain_6_db"]["reason"]
