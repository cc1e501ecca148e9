"""Collaborative filtering: what listeners have in common, from a table of user, track and plays.

Implicit-feedback weighted matrix factorisation (Hu, Koren and Volinsky, 2008) by the library
`implicit`: alternating least squares on whether a user played a track, each pair weighted by the
confidence 1 + 2 log(1 + 10^6 plays) (van den Oord, Dieleman and Schrauwen, 2013). A track's 40
factors are then scaled to length 1: their length mostly says how many listeners a track has, and
popularity is not a sound (Dieleman, 2014).

Factors mean something only relative to each other: a factorisation with another seed is turned and
mirrored. `implicit` is needed here and nowhere else, and is not installed with the app.
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
"""As much as three or four played pairs weigh, so that a track with few listeners follows others.

With as little as is customary (0.01), 40 factors learn a small table's noise by heart.
"""

_ALPHA, _EPSILON = 2.0, 1e-6


@dataclass(frozen=True)
class TrackFactors:
    """What listeners say of tracks.

    Attributes
    ----------
    tracks : track ids, in alphabetical order
    factors : float32 [shape=(n, 40)], each row of length 1
    users : how many listeners the table has
    plays : how many plays it has in all
    """

    tracks: tuple[str, ...]
    factors: NDArray[np.float32]
    users: int
    plays: float


def read_plays(path: Path) -> pd.DataFrame:
    """Read a table of listening: CSV in UTF-8 with the columns `user`, `track` and `plays`.

    Returns
    -------
    DataFrame with `user` and `track` as text and `plays` as float64 over 0. Rows of one user and track
    are added up, rows with 0 plays are left out, and other columns too.

    Raises
    ------
    LibraryError
        If the file is missing or not such a table: columns missing, a user or track empty, plays that
        are not a number or under 0, or nothing played at all.
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
    seed : of the first factors; the same seed gives the same factors

    Raises
    ------
    LibraryError
        If there are not more users and tracks than factors.
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
    # Threads of BLAS beside those of implicit would make it many times slower.
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
            "Learning from listening data needs the package implicit; please install it with "
            "`pip install implicit==0.7.3`."
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
