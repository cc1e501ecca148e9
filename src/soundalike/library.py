"""A library: a folder of audio files and the table that describes them.

With a `tracks.csv` in the folder, the table is that file: the columns track_id, file, title, artist,
album and genre are needed (the last four may be empty), further columns are kept. Without one, the
folder is searched for audio files and the table is made from their tags.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from soundalike import audio
from soundalike.errors import AudioError, LibraryError

TABLE = "tracks.csv"
COLUMNS = ("track_id", "file", "title", "artist", "album", "genre")


@dataclass(frozen=True)
class Skipped:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Library:
    """A folder and its tracks.

    Attributes
    ----------
    folder : the folder that `file` is relative to
    tracks : one row a track; every column is text, missing values are empty
    skipped : files that are not in `tracks`
    """

    folder: Path
    tracks: pd.DataFrame
    skipped: tuple[Skipped, ...] = ()

    def path(self, row: int) -> Path:
        """The audio file of a row."""
        return self.folder / str(self.tracks["file"].iloc[row])


def load(folder: Path) -> Library:
    """Read a library's table, or make one from the folder's files.

    Raises
    ------
    LibraryError
        If the folder is missing or holds no audio, or its `tracks.csv` is malformed: not UTF-8
        text, columns missing, a track_id used twice, or files outside the folder.
    """
    if not folder.is_dir():
        raise LibraryError(f"{folder} is not a folder; please name one that holds audio files.")
    table = folder / TABLE
    library = _from_table(folder, table) if table.is_file() else _from_files(folder)
    if not len(library.tracks):
        reason = f" ({len(library.skipped)} files were skipped)" if library.skipped else ""
        raise LibraryError(f"There is no audio in {folder}{reason}; please name another folder.")
    return library


def fingerprint(tracks: pd.DataFrame) -> str:
    """A checksum of which tracks there are and of their audio: SHA-256 over ids and file hashes."""
    pairs = sorted(zip(tracks["track_id"], tracks["sha256"], strict=True))
    text = "\n".join(f"{track_id} {sha256}" for track_id, sha256 in pairs)
    return hashlib.sha256(text.encode()).hexdigest()


def _from_table(folder: Path, table: Path) -> Library:
    tracks = _read_table(table)
    missing = [column for column in COLUMNS if column not in tracks.columns]
    if missing:
        raise LibraryError(f"{table} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}.")
    if tracks["file"].str.contains("\0", regex=False).any():
        raise LibraryError(f"{table} names a file with a null character in it.")
    blank = tracks["track_id"].eq("") | tracks["file"].eq("")
    if blank.any():
        line = int(blank.to_numpy().argmax()) + 2
        raise LibraryError(f"{table}, row {line}: track_id and file must not be empty.")
    if (twice := tracks["track_id"].duplicated()).any():
        raise LibraryError(
            f"{table} has the track_id {tracks['track_id'][twice].iloc[0]!r} more than once."
        )
    root = folder.resolve()
    outside = [file for file in tracks["file"] if not (root / file).resolve().is_relative_to(root)]
    if outside:
        raise LibraryError(f"{table} names {outside[0]!r}, which lies outside the folder.")
    there = tracks["file"].map(lambda file: (folder / file).is_file()).astype(bool)
    skipped = tuple(Skipped(file, "The file is missing.") for file in tracks["file"][~there])
    return Library(folder, tracks[there].reset_index(drop=True), skipped)


def _read_table(table: Path) -> pd.DataFrame:
    try:
        _check_widths(table)
        return pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LibraryError(f"{table} is not UTF-8 text; please save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise LibraryError(f"{table} is not a table that can be read: {reason}") from error


def _from_files(folder: Path) -> Library:
    endings = {f".{extension}" for extension in audio.EXTENSIONS}
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in endings and path.is_file()
    )
    rows, skipped = [], []
    for path in files:
        relative = path.relative_to(folder).as_posix()
        if not _is_text(relative):
            shown = relative.encode(errors="surrogateescape").decode(errors="replace")
            skipped.append(Skipped(shown, "Its name is not UTF-8; please rename it."))
            continue
        try:
            tags = audio.probe(path).tags
        except AudioError as error:
            skipped.append(Skipped(relative, str(error)))
            continue
        rows.append(
            {
                "track_id": hashlib.sha256(relative.encode()).hexdigest()[:12],
                "file": relative,
                "title": tags.get("title", path.stem),
                "artist": tags.get("artist", ""),
                "album": tags.get("album", ""),
                "genre": tags.get("genre", ""),
            }
        )
    return Library(folder, pd.DataFrame(rows, columns=list(COLUMNS), dtype=str), tuple(skipped))


def artist_keys(tracks: pd.DataFrame) -> list[str]:
    """Who made each track, for an artist filter: the artist, or the album where nobody is named."""
    unnamed = tracks["artist"].str.strip().str.lower().isin(["", "unknown artist", "unknown"])
    by_album = tracks["album"].map(lambda album: f"album: {album}" if album else "")
    return list(tracks["artist"].where(~unnamed, by_album))


def _check_widths(table: Path) -> None:
    """Refuse rows with more fields than the header, which pandas would take for an index column."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows, []))
        for row in rows:
            if len(row) > width:
                raise LibraryError(
                    f"{table}, row {rows.line_num}: it has {len(row)} fields and the header {width}; "
                    "please put fields with commas in quotes."
                )


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
