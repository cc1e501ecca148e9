"""`metadata`: a metadata-only baseline from the library's table.

It uses the article's columns where the table has them (with FMA's or plain names, see `NUMERIC`,
`ONE_HOT` and `TITLE`):

- numbers (years, places, duration, favourites, listens): standardised over the tracks with a value;
  missing values take the mean, which is 0;
- artist, language and sub-genres: one-hot encoded. Names that occur only once cannot match but are kept,
  as in the article. The column `genre` is never used, because representations are evaluated by it;
- the title: the mean of its word vectors. No pretrained vectors are bundled, so word vectors come from
  feature hashing (Weinberger et al., 2009): plus or minus 1 in one of 300 dimensions. Titles therefore
  match only by shared words, without their meaning.

A track's vector depends on the other tracks in the table, and a clip outside the table has none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.clip import Clip
from soundalike.errors import InputError, LibraryError
from soundalike.models import ModelStore

if TYPE_CHECKING:
    import pandas as pd

NUMERIC = {
    "release year": ("release_year", "year", "album_date_released", "track_date_released"),
    "the artist's first active year": ("artist_active_year_begin", "active_year_begin"),
    "the artist's last active year": ("artist_active_year_end", "active_year_end"),
    "the artist's latitude": ("artist_latitude", "latitude"),
    "the artist's longitude": ("artist_longitude", "longitude"),
    "duration": ("track_duration_s", "track_duration", "duration"),
    "favourites": ("favourites", "favorites", "track_favorites"),
    "listens": ("listens", "track_listens"),
}
"""Numeric columns: display name, and possible names in a table, of which the first found is used."""

ONE_HOT = {
    "artist": ("artist_id", "artist"),
    "language": ("language", "track_language_code"),
    "sub-genres": ("subgenres", "sub_genres", "track_genres", "genres"),
}
"""Columns of names; a field may contain several, separated by semicolons, commas or bars, or as a
[list].
"""

TITLE = "title"
TITLE_DIM = 300
DIM = 0
"""The length of a vector depends on the table."""

DESCRIPTION = (
    "A metadata-only baseline that ignores the audio. Two tracks match if they share an artist, a time "
    "and place, a similar length and popularity, or words in their titles. It shows how far metadata "
    "alone goes, and can't compare a clip that is not in the table. Words in titles count as written, "
    "without their meaning."
)

UPLOAD = (
    "Metadata compares entries of the library's table, so it can't be used with your own clip. Choose a "
    "library track or another method."
)

_UNNAMED = ("", "unknown", "unknown artist")
_SEPARATORS = re.compile(r"[;,|\[\]]")


def from_table(tracks: pd.DataFrame) -> NDArray[np.float32]:
    """Compute the vectors of a library's tracks: all `blocks` side by side [shape=(n, dim)].

    Parameters
    ----------
    tracks : the library's table, all text (`library.Library.tracks`)

    Raises
    ------
    LibraryError
        If no column distinguishes the tracks.
    """
    found = blocks(tracks)
    if not found:
        raise LibraryError(
            "The library's table has no column that distinguishes its tracks. Add columns such as "
            "title, artist, release_year or listens."
        )
    return np.concatenate(list(found.values()), axis=1)


def blocks(tracks: pd.DataFrame) -> dict[str, NDArray[np.float32]]:
    """Dimensions by display name, each [shape=(n, any)]; only those that distinguish the tracks."""
    numbers = {name: _numbers(tracks, columns) for name, columns in NUMERIC.items()}
    names = {name: _one_hot(tracks, columns) for name, columns in ONE_HOT.items()}
    every = numbers | {"title": _titles(tracks)} | names
    return {name: block for name, block in every.items() if block is not None}


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Raise an error, because a clip has no metadata.

    Raises
    ------
    InputError
        Always.
    """
    raise InputError(UPLOAD)


def _column(tracks: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series[str] | None:
    for column in columns:
        if column in tracks.columns:
            return tracks[column].fillna("").astype(str).str.strip()
    return None


def _numbers(tracks: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.float32] | None:
    """One standardised dimension [shape=(n, 1)]; None if the column is missing or constant."""
    import pandas as pd

    texts = _column(tracks, columns)
    if texts is None:
        return None
    # Reduce dates to years.
    dates = texts.str.extract(r"^(\d{4})-\d{2}", expand=False)
    parsed = pd.to_numeric(dates.fillna(texts), errors="coerce").to_numpy(np.float64)
    values = np.where(np.isfinite(parsed), parsed, np.nan)
    known = values[~np.isnan(values)]
    if not len(known) or np.allclose(known, known[0], rtol=1e-9, atol=0):
        return None
    standardised = np.nan_to_num((values - known.mean()) / known.std(), nan=0.0)
    return np.asarray(standardised, np.float32)[:, np.newaxis]


def _one_hot(tracks: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.float32] | None:
    """One dimension per name, in alphabetical order; None if there are fewer than two names."""
    texts = _column(tracks, columns)
    if texts is None:
        return None
    whole = columns == ONE_HOT["artist"]
    named = [_named([text] if whole else _SEPARATORS.split(text)) for text in texts]
    known = sorted(set().union(*named))
    if len(known) < 2:
        return None
    place = {name: i for i, name in enumerate(known)}
    matrix = np.zeros((len(tracks), len(known)), np.float32)
    for row, names in enumerate(named):
        matrix[row, [place[name] for name in names]] = 1.0
    return matrix


def _named(parts: list[str]) -> set[str]:
    stripped = {part.strip().strip("'\"") for part in parts}
    return {part for part in stripped if part.lower() not in _UNNAMED}


def _titles(tracks: pd.DataFrame) -> NDArray[np.float32] | None:
    """The mean of the words' hashed vectors [shape=(n, 300)]; None if no title has a word."""
    from sklearn.feature_extraction.text import HashingVectorizer

    texts = _column(tracks, (TITLE,))
    if texts is None:
        return None
    hashing = HashingVectorizer(
        n_features=TITLE_DIM, norm=None, alternate_sign=True, token_pattern=r"\w+"
    )
    summed = hashing.transform(texts).toarray()
    split = hashing.build_analyzer()
    counts = np.array([max(len(split(text)), 1) for text in texts])
    if not summed.any():
        return None
    return np.asarray(summed / counts[:, np.newaxis], np.float32)
