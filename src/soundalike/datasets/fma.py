"""FMA, the Free Music Archive's dataset, as a library (Defferrard et al., 2017, "FMA: a dataset for
music analysis").

    DIR/fma_metadata/tracks.csv       two header rows and a row with the name of the index
    DIR/fma_metadata/genres.csv       the genre tree: 163 genres (161 of them with tracks), 16 roots
    DIR/fma_small/000/000002.mp3      clips of 30 s; fma_medium and fma_large likewise
    DIR/fma_full/000/000002.mp3       whole tracks, the same ones as fma_large

The sets are nested: `small` (8,000 clips, 8 genres of 1,000) is part of `medium` (25,000), which is
part of `large` (106,574). `tracks.csv` lists the smallest set of each track. A set is read from its own
folder or, if that is missing, from a larger set's.

A track's genre is FMA's top-level genre. FMA leaves it empty if the track's genres have several roots,
as for many tracks of `large`. We then use the most common root of the track's genres, or no genre if
two roots tie. The column `genre_from` records the source: `genre_top`, `genres` or nothing. The
sub-genres are the track's genres that are not roots.

Some clips of the published archives were cut beyond the end of their track (see the dataset's wiki and
its issues 8 and 41). `BROKEN` lists those with less than the 3 s of audio that an embedding needs, which
are skipped. Three more are short but usable: 98566 and 98568 (6 s) and 108924 (27 s).
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundalike.datasets import artists, library
from soundalike.datasets.library import Library, Skipped
from soundalike.errors import LibraryError

METADATA = "fma_metadata"
SUBSETS = ("small", "medium", "large", "full")
SPLITS = ("training", "validation", "test")
NO_AUDIO = frozenset(
    (1486, 5574, 65753, 80391, 98558, 98559, 98560, 98571, 99134)
    + (105247, 108925, 126981, 127336, 133297, 143992)
)
"""Clips without any audio."""
BROKEN = NO_AUDIO | {98565, 98567, 98569}
"""Clips of at most 1.6 s; the archive of whole tracks contains the full tracks."""
_CUT_TOO_SHORT = (
    "A known error of FMA's clips: it was cut beyond the track's end and has no 3 s of audio."
)

Column = tuple[str, str]

_NEEDED: dict[str, Column] = {
    "title": ("track", "title"),
    "artist": ("artist", "name"),
    "album": ("album", "title"),
    "genre_top": ("track", "genre_top"),
    "genres": ("track", "genres"),
    "licence": ("track", "license"),
    "split": ("set", "split"),
    "subset": ("set", "subset"),
}
_OPTIONAL: dict[str, Column] = {
    "artist_id": ("artist", "id"),
    "released": ("album", "date_released"),
    "recorded": ("track", "date_recorded"),
    "artist_active_year_begin": ("artist", "active_year_begin"),
    "artist_active_year_end": ("artist", "active_year_end"),
    "artist_latitude": ("artist", "latitude"),
    "artist_longitude": ("artist", "longitude"),
    "track_duration": ("track", "duration"),
    "track_favorites": ("track", "favorites"),
    "track_listens": ("track", "listens"),
    "track_language_code": ("track", "language_code"),
}
"""Columns for the representation `metadata`, which a table may lack."""
_LONGEST_FIELD = 2**24
_GENRE_COLUMNS = ("genre_id", "#tracks", "parent", "title", "top_level")


@dataclass(frozen=True)
class Genre:
    """One genre of the tree.

    Attributes
    ----------
    title : its name
    root : id of its top-level genre; a root has its own id
    tracks : number of tracks with the genre in all of FMA
    """

    title: str
    root: int
    tracks: int


Tree = dict[int, Genre]
"""Genres by FMA's id."""


@dataclass(frozen=True)
class Fma:
    """A set of FMA.

    Attributes
    ----------
    library : the folder and its table: the standard columns (`track_id` is FMA's), `split` (training,
        validation or test), `subgenres`, `genre_from`, `licence`, `year`, and the columns for the
        representation `metadata`
    subset : small, medium, large or full
    tree : all genres
    shared_artists : names of artists with tracks in more than one part of the split; FMA intends
        there to be none
    """

    library: Library
    subset: str
    tree: Tree
    shared_artists: tuple[str, ...]


def load(folder: Path, subset: str | None = None) -> Fma:
    """Read a folder with FMA's unpacked archives.

    Parameters
    ----------
    folder : the folder that contains `fma_metadata` and `fma_small` or another set
    subset : the set to read; by default the only one present

    Raises
    ------
    LibraryError
        If the folder is not FMA's, a part of it is missing, a table differs from FMA's published
        format, or no track of the set is present.
    """
    _check_folder(folder)
    subset = subset or _only_subset(folder)
    audio_folder = _audio_folder(folder, subset)
    tree = read_genres(folder / METADATA / "genres.csv")
    every = read_tracks(folder / METADATA / "tracks.csv")
    files = _files(folder / audio_folder)
    chosen = every[every["subset"].isin(SUBSETS[: SUBSETS.index(subset) + 1])]
    tracks = table(chosen, tree, audio_folder)
    absent = ~tracks["file"].isin(files)
    known = frozenset() if subset == "full" else BROKEN
    broken = tracks["track_id"].astype(int).isin(known) & ~absent
    skipped = [Skipped(file, "The file is missing.") for file in tracks["file"][absent]]
    skipped += [Skipped(file, _CUT_TOO_SHORT) for file in tracks["file"][broken]]
    if audio_folder == f"fma_{subset}":
        skipped += _unexpected(files.difference(tracks["file"]), every, subset)
    kept = tracks[~absent & ~broken].reset_index(drop=True)
    if not len(kept):
        raise LibraryError(
            f"Not one track of FMA's set {subset!r} is in {folder / audio_folder}; "
            f"get it with `soundalike fetch fma-{subset} --dir {folder}`."
        )
    source = Library(folder, kept, tuple(sorted(skipped, key=lambda item: item.file)))
    return Fma(source, subset, tree, shared_artists(kept))


def shared_artists(tracks: pd.DataFrame) -> tuple[str, ...]:
    """Artists with tracks in more than one part of the split, one name for each (`artists`)."""
    keys = pd.Series(artists.keys(tracks), index=tracks.index)
    parts = tracks["split"][keys != ""].groupby(keys[keys != ""]).nunique()
    is_nobody = keys.str.startswith("album: ")
    names = tracks["artist"].mask(is_nobody, "album: " + tracks["album"]).groupby(keys).first()
    return tuple(sorted(str(names[key]) for key in parts.index[parts > 1]))


def read_genres(path: Path) -> Tree:
    """Read the genre tree.

    Raises
    ------
    LibraryError
        If the file is missing or not FMA's: columns missing, a duplicate id, an unknown parent, a
        genre among its own ancestors, or a `top_level` that contradicts the parents.
    """
    with _open_rows(path) as rows:
        header, *table = [*rows] or [[]]
    missing = [column for column in _GENRE_COLUMNS if column not in header]
    if missing:
        raise _not_fma(path, f"it has no column {', '.join(missing)}")
    if malformed := [row for row in table if len(row) != len(header)]:
        raise _not_fma(path, f"the row of genre {(malformed[0] or [''])[0]} is too short or too long")
    columns = {name: [row[header.index(name)] for row in table] for name in _GENRE_COLUMNS}
    ids = [_number(text, path, "genre_id") for text in columns["genre_id"]]
    if twice := [genre for genre, times in Counter(ids).items() if times > 1]:
        raise _not_fma(path, f"it has the genre {twice[0]} more than once")
    parents = dict(zip(ids, (_number(text, path, "parent") for text in columns["parent"]), strict=True))
    tops = (_number(text, path, "top_level") for text in columns["top_level"])
    sizes = (_number(text, path, "#tracks") for text in columns["#tracks"])
    tree = {}
    for genre, title, top, size in zip(ids, columns["title"], tops, sizes, strict=True):
        tree[genre] = Genre(_one_line(title), _root(genre, parents, path), size)
        if tree[genre].root != top:
            raise _not_fma(path, f"genre {genre} says top_level {top} and lies under {tree[genre].root}")
    return tree


def read_tracks(path: Path) -> pd.DataFrame:
    """Read the columns of `tracks.csv` that are needed here, one row per track, all text.

    Only these columns are read, because the whole table includes biographies and takes a gigabyte of
    memory.

    Raises
    ------
    LibraryError
        If the file is missing or not FMA's: header rows or columns missing, a row too short or too
        long, a non-numeric or duplicate id, or an unknown split or subset.
    """
    with _open_rows(path) as rows:
        above, below, index = (next(rows, []) for _ in range(3))
        if len(above) != len(below) or index[:1] != ["track_id"]:
            raise _not_fma(path, "it does not begin with two header rows and a row `track_id`")
        header = list(zip(above, below, strict=True))
        missing = [column for column in _NEEDED.values() if column not in header]
        if missing:
            raise _not_fma(path, f"it has no column {' / '.join(missing[0])}")
        known = {name: at for name, at in (_NEEDED | _OPTIONAL).items() if at in header}
        columns = {"track_id": 0} | {name: header.index(at) for name, at in known.items()}
        kept = []
        for row in rows:
            if len(row) != len(header):
                raise _not_fma(path, f"the row of track {(row or [''])[0]} is too short or too long")
            kept.append([_one_line(row[column]) for column in columns.values()])
    tracks = pd.DataFrame(kept, columns=list(columns), dtype=str)
    _check_tracks(path, tracks)
    return tracks


@contextmanager
def _open_rows(path: Path) -> Iterator[Iterator[list[str]]]:
    """Open the rows of a CSV file, with a higher field limit, because FMA's biographies are long."""
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield csv.reader(file, strict=True)
    except FileNotFoundError as error:
        raise _absent(path) from error
    except UnicodeDecodeError as error:
        raise _not_fma(path, "it is not UTF-8 text") from error
    except (OSError, csv.Error) as error:
        raise _not_fma(path, f"it cannot be read ({error})") from error
    finally:
        csv.field_size_limit(limit)


def _check_tracks(path: Path, tracks: pd.DataFrame) -> None:
    for text in tracks["track_id"]:
        _number(text, path, "track_id")
    if (twice := tracks["track_id"].duplicated()).any():
        raise _not_fma(path, f"it has the track {tracks['track_id'][twice].iloc[0]} more than once")
    for column, known in (("split", SPLITS), ("subset", SUBSETS[:3])):
        unknown = ~tracks[column].isin(known)
        if unknown.any():
            row = tracks[unknown].iloc[0]
            raise _not_fma(
                path,
                f"track {row['track_id']} has the {column} {row[column]!r}, which is none of "
                f"{', '.join(known)}",
            )


def table(tracks: pd.DataFrame, tree: Tree, audio_folder: str) -> pd.DataFrame:
    """Make a library's table of tracks.

    Parameters
    ----------
    tracks : rows of `read_tracks`
    tree : all genres
    audio_folder : name of the folder or archive that the clips are in
    """
    genres = [_genre_ids(*pair) for pair in zip(tracks["track_id"], tracks["genres"], strict=True)]
    for track_id, ids in zip(tracks["track_id"], genres, strict=True):
        if unknown := [genre for genre in ids if genre not in tree]:
            raise LibraryError(
                f"FMA's tracks.csv gives track {track_id} the genre {unknown[0]}, which genres.csv "
                "does not have; both must be of one release, as `soundalike fetch fma-metadata` gets."
            )
    sourced = [
        (top, "genre_top") if top else _most_common_root(ids, tree)
        for top, ids in zip(tracks["genre_top"], genres, strict=True)
    ]
    made = {
        "track_id": tracks["track_id"].map(lambda text: str(int(text))),
        "file": tracks["track_id"].map(lambda text: _file(audio_folder, int(text))),
        "title": tracks["title"],
        "artist": tracks["artist"],
        "album": tracks["album"],
        "genre": [genre for genre, _ in sourced],
        "genre_from": [origin for _, origin in sourced],
        "subgenres": [_subgenres(ids, tree) for ids in genres],
        "licence": tracks["licence"],
        "year": _years(tracks),
        "split": tracks["split"],
    }
    extra = {
        name: tracks[name]
        for name in _OPTIONAL
        if name in tracks and name not in ("released", "recorded")
    }
    return pd.DataFrame(made | extra).reset_index(drop=True)


def _file(audio_folder: str, track_id: int) -> str:
    return f"{audio_folder}/{track_id // 1000:03d}/{track_id:06d}.mp3"


def _genre_ids(track_id: str, text: str) -> list[int]:
    """Parse a list as written by pandas, such as `[21, 103]`."""
    try:
        ids = json.loads(text or "[]")
    except ValueError:
        ids = None
    if not isinstance(ids, list) or not all(type(genre) is int for genre in ids):
        raise LibraryError(
            f"FMA's tracks.csv gives track {track_id} the genres {text!r}, which are no list of "
            "numbers; get it again with `soundalike fetch fma-metadata`."
        )
    return ids


def _most_common_root(ids: Sequence[int], tree: Tree) -> tuple[str, str]:
    counts = Counter(tree[genre].root for genre in ids).most_common(2)
    if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return "", ""
    return tree[counts[0][0]].title, "genres"


def _subgenres(ids: Sequence[int], tree: Tree) -> str:
    return "; ".join(tree[genre].title for genre in ids if tree[genre].root != genre)


def _years(tracks: pd.DataFrame) -> pd.Series[str]:
    """The year of the album, or else of the recording; often neither is known."""
    years = pd.Series("", index=tracks.index)
    for column in ("recorded", "released"):
        if column in tracks:
            found = tracks[column].str.extract(r"^(\d{4})-\d\d", expand=False)
            years = found.fillna(years)
    return years


def _root(genre: int, parents: dict[int, int], path: Path) -> int:
    seen = {genre}
    while parent := parents[genre]:
        if parent not in parents:
            raise _not_fma(path, f"genre {genre} has the parent {parent}, which is not there")
        if parent in seen:
            raise _not_fma(path, f"genre {parent} is among its own ancestors")
        seen.add(parent)
        genre = parent
    return genre


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise LibraryError(f"{folder} is not a folder; please name the one that holds {METADATA}.")
    if (folder / METADATA).is_dir():
        return
    if (folder.resolve().parent / METADATA).is_dir():
        raise LibraryError(f"{folder} is a part of FMA; please name the folder that it lies in.")
    raise LibraryError(
        f"{folder} has no folder {METADATA}; get it with `soundalike fetch fma-metadata --dir {folder}`."
    )


def _only_subset(folder: Path) -> str:
    there = [subset for subset in SUBSETS if (folder / f"fma_{subset}").is_dir()]
    if not there:
        raise LibraryError(
            f"{folder} has no folder fma_small, fma_medium, fma_large or fma_full; get one with "
            f"`soundalike fetch fma-small --dir {folder}`."
        )
    if len(there) > 1:
        raise LibraryError(f"{folder} has FMA's sets {', '.join(there)}; say which with --subset.")
    return there[0]


def _audio_folder(folder: Path, subset: str) -> str:
    """The folder of a set, or of a larger set of clips that contains it."""
    wanted = SUBSETS.index(subset)
    for held in (subset, *SUBSETS[wanted + 1 : 3]):
        if (folder / f"fma_{held}").is_dir():
            return f"fma_{held}"
    raise LibraryError(
        f"{folder} has no folder fma_{subset}; get it with "
        f"`soundalike fetch fma-{subset} --dir {folder}`."
    )


def _files(audio_folder: Path) -> set[str]:
    """The MP3 files of a set's folder, as paths relative to the library's folder."""
    return {path.relative_to(audio_folder.parent).as_posix() for path in audio_folder.glob("*/*.mp3")}


def _unexpected(files: Iterable[str], tracks: pd.DataFrame, subset: str) -> list[Skipped]:
    """Files in the folder that are not part of the set."""
    larger = set(tracks["track_id"].astype(int))
    found = []
    for file in sorted(files):
        name = Path(file).stem
        known = name.isdecimal() and int(name) in larger and file == _file(f"fma_{subset}", int(name))
        reason = f"It is not of FMA's set {subset!r}." if known else "FMA's tracks.csv does not have it."
        found.append(Skipped(library.shown(file), reason))
    return found


def _number(text: str, path: Path, column: str) -> int:
    if not (text.isdecimal() and text.isascii()):
        raise _not_fma(path, f"its {column} {text!r} is not a number")
    return int(text)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def _absent(path: Path) -> LibraryError:
    return LibraryError(
        f"{path} is missing; get it with `soundalike fetch fma-metadata --dir {path.parents[1]}`."
    )


def _not_fma(path: Path, what: str) -> LibraryError:
    return LibraryError(
        f"{path} is not the table that FMA publishes: {what}; get it again with "
        f"`soundalike fetch fma-metadata --dir {path.parents[1]}`."
    )
