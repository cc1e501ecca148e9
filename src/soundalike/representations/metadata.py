"""`metadata`: what the library's table says of a track; not a sound is heard.

The article's columns, each where the table has it (names are FMA's or plain ones, see `NUMERIC`,
`ONE_HOT` and `TITLE`):

- numbers (years, places, duration, favourites, listens): standardised over the tracks that have one,
  the others take the mean, which is 0;
- artist, language and sub-genres: one dimension a name, 1 where the track has it. Names that one track
  alone has say nothing of two, but are kept, as in the article. The column `genre` is never used, since
  it is what representations are judged by;
- the title: the mean of its words' vectors. No pretrained vectors are bundled, so that a word's vector
  comes from feature hashing (Weinberger et al., 2009): plus or minus 1 in one of 300 dimensions, so
  that titles agree in words they share and in nothing of their meaning.

It belongs to a table as a whole: a track's vector depends on which others there are, and a clip that
is in no table has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.audio.decoding import Clip
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.models import ModelStore

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
"""Columns of numbers: what they are called on screen, and their names in a table; the first counts."""

ONE_HOT = {
    "artist": ("artist_id", "artist"),
    "language": ("language", "track_language_code"),
    "sub-genres": ("subgenres", "sub_genres", "track_genres", "genres"),
}
"""Columns of names; a field may hold several, apart by semicolons, commas, bars or in a [list]."""

TITLE = "title"
TITLE_DIM = 300

HEARS = (
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


@dataclass(frozen=True)
class Metadata:
    """Vectors of a whole table.

    Attributes
    ----------
    matrix : float32 [shape=(n, dim)]
    groups : where each group of dimensions is, in order: name on screen and slice
    missing : sentences about what the table does not have, or of which it says nothing; may be none
    """

    matrix: NDArray[np.float32]
    groups: dict[str, slice]
    missing: tuple[str, ...]


def from_table(tracks: pd.DataFrame) -> Metadata:
    """Vectors of a library's tracks.

    Parameters
    ----------
    tracks : the library's table, all text (`library.Library.tracks`)

    Raises
    ------
    LibraryError
        If no column tells one track from another.
    """
    blocks: dict[str, NDArray[np.float32]] = {}
    absent: list[str] = []
    numbers = {name: _numbers(tracks, columns) for name, columns in NUMERIC.items()}
    names = {name: _one_hot(tracks, columns) for name, columns in ONE_HOT.items()}
    for name, block in (numbers | {"title": _titles(tracks)} | names).items():
        if block is None:
            absent.append(name)
        else:
            blocks[name] = block
    if not blocks:
        raise LibraryError(
            "The library's table has no column that distinguishes its tracks. Add columns such as "
            "title, artist, release_year or listens."
        )
    ends = np.cumsum([block.shape[1] for block in blocks.values()]).tolist()
    starts = [0, *ends[:-1]]
    groups = {name: slice(*ends) for name, *ends in zip(blocks, starts, ends, strict=True)}
    return Metadata(np.concatenate(list(blocks.values()), axis=1), groups, _sentences(absent))


def embed(clip: Clip, models: ModelStore) -> NDArray[np.float32]:
    """Refuse: a clip alone has no metadata.

    Raises
    ------
    SoundalikeError
        Always.
    """
    raise SoundalikeError(UPLOAD)


def _sentences(absent: list[str]) -> tuple[str, ...]:
    if not absent:
        return ()
    listed = " and ".join([", ".join(absent[:-1]), absent[-1]] if absent[1:] else absent)
    return (f"The library's table has no data on {listed}, so these are not compared.",)


def _column(tracks: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series[str] | None:
    for column in columns:
        if column in tracks.columns:
            return tracks[column].fillna("").astype(str).str.strip()
    return None


def _numbers(tracks: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.float32] | None:
    """One standardised dimension [shape=(n, 1)]; None without a column or without any spread."""
    texts = _column(tracks, columns)
    if texts is None:
        return None
    # Of a date, its year.
    dates = texts.str.extract(r"^(\d{4})-\d{2}", expand=False)
    parsed = pd.to_numeric(dates.fillna(texts), errors="coerce").to_numpy(np.float64)
    values = np.where(np.isfinite(parsed), parsed, np.nan)
    known = values[~np.isnan(values)]
    if not len(known) or np.allclose(known, known[0], rtol=1e-9, atol=0):
        return None
    standardised = np.nan_to_num((values - known.mean()) / known.std(), nan=0.0)
    return np.asarray(standardised, np.float32)[:, np.newaxis]


def _one_hot(tracks: pd.DataFrame, columns: tuple[str, ...]) -> NDArray[np.float32] | None:
    """A dimension a name, in alphabetical order; None where there are fewer than two names."""
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
    """The mean of the words' hashed vectors [shape=(n, 300)]; None where no title has a word."""
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
