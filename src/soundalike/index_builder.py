"""Building an index: every track decoded, embedded, and what pages need of them precomputed.

The index is written beside its destination and moved there when it is whole, so that a killed run
leaves no half an index. The same library and models give the same bytes on the same machine.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike import audio, index, index_derived, index_files, library, paths, representations
from soundalike.audio import Clip
from soundalike.errors import AudioError, IndexFolderError, LibraryError
from soundalike.index import Index
from soundalike.index_reuse import Earlier
from soundalike.library import Library, Skipped
from soundalike.models import ModelStore
from soundalike.models.heldout import Heldout
from soundalike.representations import genre_head, vgg_features

OnTrack = Callable[[str], None]
"""Called after each track with its file name."""


@dataclass(frozen=True)
class Built:
    """A finished index and the files that are not in it."""

    index: Index
    skipped: tuple[Skipped, ...]


def build(
    source: Library,
    out: Path,
    models: ModelStore,
    names: Sequence[str] | None = None,
    heldout: Heldout | None = None,
    compact: bool = False,
    on_track: OnTrack = lambda file: None,
) -> Built:
    """Embed a library and write its index.

    Files that an index at `out` knows already are not embedded again, unless the networks changed.

    Parameters
    ----------
    source : the library
    out : the index folder; an index that is there already is replaced
    models : the networks
    names : the representations wanted; by default all whose models are at hand
    heldout : predictions for the tracks that the genre head was trained on, by heads that were not
    compact : keep of the heavy representations their neighbours alone
    on_track : called after each track, for a progress bar

    Raises
    ------
    IndexFolderError
        If `out` is there and is not an index.
    LibraryError
        If not one track could be decoded.
    UnknownRepresentationError
        If a name is not in the registry.
    """
    names = representations.available(models) if names is None else names
    representations.stored(names)
    _check_destination(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        skipped = _write(source, aside, out, models, list(names), heldout, compact, on_track)
        _move_into_place(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Built(index.load(out), skipped)


@dataclass
class _Embedded:
    """The tracks that could be decoded, as far as they are embedded.

    Attributes
    ----------
    matrices : by stored representation, a row a track of the library, filled from the top
    rows : the library's row of each
    sums : the checksum of each file
    genres : predicted genres of each, if wanted
    skipped : the files that could not be decoded
    """

    matrices: dict[str, NDArray[np.floating[Any]]]
    rows: list[int]
    sums: list[str]
    genres: list[NDArray[np.float32]]
    skipped: list[Skipped]


def _embed(
    source: Library, stored: list[str], models: ModelStore, earlier: Earlier, on_track: OnTrack
) -> _Embedded:
    n = len(source.tracks)
    matrices: dict[str, NDArray[np.floating[Any]]] = {
        name: np.zeros((n, representations.get(name).dim), _kind(name)) for name in stored
    }
    heard = [name for name in stored if representations.get(name).from_table is None]
    done = _Embedded(matrices, [], [], [], list(source.skipped))
    for row in range(n):
        file = str(source.tracks["file"].iloc[row])
        try:
            _embed_file(source.path(row), heard, models, earlier, done)
            done.rows.append(row)
        except AudioError as error:
            done.skipped.append(Skipped(file, str(error)))
        on_track(file)
    if not done.rows:
        raise LibraryError(f"Not one file of {source.folder} could be decoded, so there is no index.")
    return done


def _embed_file(
    path: Path, names: list[str], models: ModelStore, earlier: Earlier, done: _Embedded
) -> None:
    sha256 = paths.sha256_of(path)
    known: dict[str, NDArray[Any]] = dict(earlier.vectors(sha256))
    clip = None
    if not known.keys() >= set(names):
        clip = audio.analysis_window(audio.decode(path))
    position = len(done.sums)
    for name in names:
        if name not in known and clip is not None:
            known[name] = representations.get(name).embed(clip, models)
        done.matrices[name][position] = known[name]
    if "genre_head" in names:
        done.genres.append(_genres(sha256, clip, models, earlier))
    done.sums.append(sha256)


def _genres(sha256: str, clip: Clip | None, models: ModelStore, earlier: Earlier) -> NDArray[np.float32]:
    """Predicted genres in the head's order, taken over where the features were."""
    if "genre_head" in earlier.vectors(sha256):
        return earlier.genres(sha256)
    assert clip is not None
    predicted = genre_head.genre_probabilities(clip, models)
    return np.array([predicted[genre] for genre in models.genre_head.genres], np.float32)


def _write(
    source: Library,
    folder: Path,
    out: Path,
    models: ModelStore,
    names: list[str],
    heldout: Heldout | None,
    compact: bool,
    on_track: OnTrack,
) -> tuple[Skipped, ...]:
    stored = representations.stored(names)
    done = _embed(source, stored, models, Earlier(out, models), on_track)
    n = len(done.rows)
    tracks = source.tracks.iloc[done.rows].reset_index(drop=True).assign(sha256=done.sums)
    for name, full in done.matrices.items():
        index_files.save(folder, name, _from_table(name, tracks, full[:n]))
        if representations.get(name).standardised:
            index_derived.standardise(folder, name)
        index_derived.write_vector_facts(folder, name)
    genres = models.genre_head.genres if "genre_head" in stored else ()
    predicted_genres = np.array(done.genres, np.float32).reshape(n, len(genres))
    if heldout is not None and "genre_head" in stored:
        tracks = _write_heldout(folder, tracks, predicted_genres, heldout)
    index_files.save(folder, "genre_probabilities", predicted_genres)
    manifest = {
        "schema": index.SCHEMA,
        "tracks": len(tracks),
        "library": {
            "folder": os.path.relpath(source.folder.resolve(), out.resolve()),
            "fingerprint": library.fingerprint(tracks),
        },
        "representations": index_derived.describe(folder, names),
        "drawing": vgg_features.DRAWING,
        "genres": list(genres),
        "models": {
            model: models.checksum(model)
            for model in sorted({m for name in names for m in representations.get(name).models})
        },
        "files": {},
    }
    tracks.to_parquet(folder / index.TRACKS, index=False)
    index_derived.write_track_facts(folder, manifest, compact)
    return tuple(done.skipped)


def _kind(name: str) -> type[np.floating[Any]]:
    """Standardised ones keep every digit until their scale is known."""
    return np.float32 if representations.get(name).standardised else np.float16


def _from_table(
    name: str, tracks: pd.DataFrame, embedded: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """What reads the table has its vectors now that it is known which tracks there are."""
    read = representations.get(name).from_table
    return embedded if read is None else read(tracks).astype(np.float16)


def _write_heldout(
    folder: Path, tracks: pd.DataFrame, predicted: NDArray[np.float32], heldout: Heldout
) -> pd.DataFrame:
    """Replace what the head predicts for the tracks it was trained on; return tracks with folds."""
    features = np.zeros((len(tracks), genre_head.DIM), np.float32)
    folds = np.full(len(tracks), -1)
    for row, sha256 in enumerate(tracks["sha256"]):
        if (position := heldout.position(sha256)) is None:
            continue
        predicted[row] = heldout.probabilities[position]
        features[row] = heldout.features[position]
        folds[row] = heldout.folds[position]
    index_files.save(folder, "genre_head_heldout", features)
    return tracks.assign(genre_fold=folds)


def _check_destination(out: Path) -> None:
    replaceable = index.is_index(out) or (out.is_dir() and not any(out.iterdir()))
    if out.exists() and not replaceable:
        raise IndexFolderError(
            f"{out} is there already and is not an index; please name another folder."
        )


def _move_into_place(aside: Path, out: Path) -> None:
    aside.chmod(0o755)
    if out.exists():
        retired = aside.with_name(f"{aside.name}-old")
        out.rename(retired)
        aside.rename(out)
        shutil.rmtree(retired)
    else:
        aside.rename(out)
