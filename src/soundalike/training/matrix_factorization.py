"""Collaborative filtering: factors of tracks from a table of user, track and plays.

Implicit-feedback weighted matrix factorisation (Hu, Koren and Volinsky, 2008) by the library `implicit`:
alternating least squares on whether a user played a track, each pair weighted by the confidence
1 + 2 log(1 + 10^6 plays) (van den Oord, Dieleman and Schrauwen, 2013). A track's 40 factors are then
scaled to unit length: their length mostly reflects the number of listeners, and popularity cannot be
predicted from audio (Dieleman, 2014).

Factors are only meaningful relative to each other: with another seed, they are rotated and mirrored.
`implicit` is needed here only, and isn't installed with the app.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from soundalike.errors import LibraryError, MissingPackageError
from soundalike.models.factor_cnn import FACTORS

if TYPE_CHECKING:
    from implicit.cpu.als import AlternatingLeastSquares

COLUMNS = ("user", "track", "plays")
ITERATIONS = 20
REGULARISATION = 100.0
"""Regularisation, equal to the weight of three or four played pairs.

With the customary value (0.01), 40 factors overfit a small table. A larger value makes a track with few
listeners follow others.
"""

_ALPHA, _EPSILON = 2.0, 1e-6


@dataclass(frozen=True)
class TrackFactors:
    """Factors of tracks from listening data.

    Attributes
    ----------
    tracks : track ids, in alphabetical order
    factors : float32 [shape=(n, 40)], each row of unit length
    users : number of listeners in the table
    plays : total number of plays
    """

    tracks: tuple[str, ...]
    factors: NDArray[np.float32]
    users: int
    plays: float


def read_plays(path: Path) -> pd.DataFrame:
    """Read a table of listening: CSV in UTF-8 with the columns `user`, `track` and `plays`.

    Returns
    -------
    DataFrame with `user` and `track` as text and `plays` as positive float64. Rows with the same user
    and track are summed; rows with 0 plays and other columns are dropped.

    Raises
    ------
    LibraryError
        If the file is missing or malformed: missing columns, an empty user or track, plays that aren't a
        number or are negative, or no plays at all.
    """
    table = _read_text(path)
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise LibraryError(f"{path} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}.")
    plays = pd.to_numeric(table["plays"].str.strip(), errors="coerce").to_numpy(np.float64)
    _refuse(path, table["user"].eq("").to_numpy(), "the user is empty")
    _refuse(path, table["track"].eq("").to_numpy(), "the track is empty")
    _refuse(path, ~np.isfinite(plays), "plays is not a number")
    _refuse(path, plays < 0, "plays is under 0")
    played = table[["user", "track"]].assign(plays=plays)[plays > 0]
    if not len(played):
        raise LibraryError(f"{path} has no plays in it; it needs a row for each user and track.")
    return pd.DataFrame(played.groupby(["user", "track"], as_index=False)["plays"].sum())


def factorise(plays: pd.DataFrame, seed: int = 0) -> TrackFactors:
    """Factorise a table of listening.

    Parameters
    ----------
    plays : from `read_plays`
    seed : seed of the initial factors; the same seed gives the same factors

    Raises
    ------
    LibraryError
        If the number of users or of tracks doesn't exceed the number of factors.
    SoundalikeError
        If the package `implicit` is not installed.
    """
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    users, user = np.unique(plays["user"].to_numpy(str), return_inverse=True)
    tracks, track = np.unique(plays["track"].to_numpy(str), return_inverse=True)
    if min(len(users), len(tracks)) <= FACTORS:
        raise LibraryError(
            f"The plays are by {len(users)} users of {len(tracks)} tracks; {FACTORS} factors need more "
            "than that many of both."
        )
    counts = plays["plays"].to_numpy(np.float64)
    confidence = 1 + _ALPHA * np.log1p(counts / _EPSILON)
    matrix = csr_matrix((confidence, (user, track)), shape=(len(users), len(tracks)))
    least_squares = _least_squares()
    # BLAS threads on top of implicit's own would make it many times slower.
    with threadpool_limits(1, "blas"):
        model = least_squares(
            factors=FACTORS,
            regularization=REGULARISATION,
            iterations=ITERATIONS,
            num_threads=1,
            random_state=seed,
        )
        model.fit(matrix.astype(np.float32), show_progress=False)
    factors = np.asarray(model.item_factors, np.float32)
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    directions = np.divide(factors, lengths, out=np.zeros_like(factors), where=lengths > 0)
    return TrackFactors(tuple(tracks.tolist()), directions, len(users), float(counts.sum()))


def _least_squares() -> type[AlternatingLeastSquares]:
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise MissingPackageError(
            "Learning from listening data needs implicit; please run `pip install 'soundalike[train]'`."
        ) from error
    return AlternatingLeastSquares  # type: ignore[no-any-return]


def _read_text(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except FileNotFoundError as error:
        raise LibraryError(f"There is no file {path}; please name a table of plays.") from error
    except UnicodeDecodeError as error:
        raise LibraryError(f"{path} is not UTF-8 text; please save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise LibraryError(f"{path} is not a table that can be read: {reason}") from error


def _refuse(path: Path, bad: NDArray[np.bool_], reason: str) -> None:
    if bad.any():
        raise LibraryError(f"{path}, row {int(bad.argmax()) + 2}: {reason}.")
