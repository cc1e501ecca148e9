"""A library: a folder of audio files and the table that describes them.

If the folder has a `tracks.csv`, that file is the table. It needs the columns track_id, file, title,
artist, album and genre (the last four may be empty); further columns are kept.

Otherwise, the folder is searched for files with audio extensions, following links but not cycles, and
the table is made from their tags. Recycle bins and companion files of the system (`not_music`) are no
part of a library. A track's id is then the first twelve digits of its file's SHA-256,
which stays the same if the file is moved. If several files have the same content, the first is the
track.
"""

from __future__ import annotations

import csv
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pandas as pd

from soundalike import paths
from soundalike.audio import decoding, formats, tags
from soundalike.datasets import not_music
from soundalike.errors import AudioError, LibraryError

TABLE = "tracks.csv"
COLUMNS = ("track_id", "file", "title", "artist", "album", "genre")
_ID_DIGITS = 12
_LEADS_OUT = "This link leads out of the folders that may be indexed."


@dataclass(frozen=True)
class Skipped:
    """A skipped file and the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class Library:
    """A folder and its tracks.

    Attributes
    ----------
    folder : the folder that `file` is relative to
    tracks : one row per track; every column is text, and missing values are empty
    skipped : files that are not in `tracks`
    passed_over : number of files of kinds that are not read, by extension
    tabled : whether `tracks` is complete; otherwise it has only the column `file`, and the others come
        from the files' tags (`row_of_file`)
    """

    folder: Path
    tracks: pd.DataFrame
    skipped: tuple[Skipped, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    tabled: bool = True

    def path(self, row: int) -> Path:
        """The audio file of a row."""
        return self.folder / str(self.tracks["file"].iloc[row])


def load(folder: Path) -> Library:
    """Read a library's table, or make one by reading the tags of the folder's files.

    Raises
    ------
    LibraryError
        If the folder is missing or contains no audio, or its `tracks.csv` is malformed: not UTF-8
        text, columns missing, a track_id used twice, or files outside the folder.
    """
    listed = find(folder)
    if listed.tabled:
        return listed
    rows, skipped = [], list(listed.skipped)
    first: dict[str, str] = {}
    for file in listed.tracks["file"]:
        path = folder / file
        try:
            decoding.probe(path)
            sha256 = paths.sha256_of(path)
        except AudioError as error:
            skipped.append(Skipped(file, str(error)))
            continue
        except OSError as error:
            skipped.append(Skipped(file, unreadable(error)))
            continue
        if (same := first.setdefault(sha256, file)) != file:
            skipped.append(Skipped(file, same_file(same)))
            continue
        rows.append(row_of_file(file, sha256, tags.read(path)))
    tracks = pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)
    return _not_empty(Library(folder, tracks, tuple(skipped), listed.passed_over))


def find(folder: Path, within: Collection[Path] = ()) -> Library:
    """List a library as `load` does, but without opening audio files; without a table it isn't `tabled`.

    Parameters
    ----------
    folder : the library's folder
    within : folders that links may lead into, themselves with links resolved; any folder by default

    Raises
    ------
    LibraryError
        As `load`, and if the folder's table is a link out of `within`.
    """
    if not folder.is_dir():
        raise LibraryError(f"{folder} is not a folder; please name one that holds audio files.")
    table = folder / TABLE
    if within and not leads_into(table, within):
        raise LibraryError(f"{table} is a link. {_LEADS_OUT}")
    return _not_empty(_from_table(folder, table) if table.is_file() else _from_files(folder, within))


def leads_into(path: Path, folders: Collection[Path]) -> bool:
    """Whether a path, with links resolved, lies in one of some folders, or is one."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):
        return False
    return any(resolved.is_relative_to(folder) for folder in folders)


def row_of_file(file: str, sha256: str, found: Mapping[str, str]) -> dict[str, str]:
    """Make a track's row of the table from its file's tags.

    Parameters
    ----------
    file : path relative to the library's folder
    sha256 : checksum of the file
    found : the file's tags
    """
    return {
        "track_id": sha256[:_ID_DIGITS],
        "file": file,
        "title": found.get("title") or tags.clean(PurePosixPath(file).stem) or file,
        **{name: found.get(name, "") for name in COLUMNS[3:]},
    }


def same_file(first: str) -> str:
    """The reason for skipping a file with the same content as another."""
    return f"Same file as {first}."


def unreadable(error: OSError) -> str:
    """The reason for skipping a file that cannot be read."""
    if isinstance(error, PermissionError):
        return "Permission denied. Check the file's permissions."
    return f"This file cannot be read: {error.strerror or 'unknown reason'}."


def _not_empty(library: Library) -> Library:
    if not len(library.tracks):
        count = len(library.skipped)
        reason = (
            f" ({count} files were skipped; the first: {library.skipped[0].reason})" if count else ""
        )
        raise LibraryError(f"There is no audio in {library.folder}{reason}. Choose another folder.")
    return library


def fingerprint(tracks: pd.DataFrame) -> str:
    """Checksum of the tracks and their audio: SHA-256 over ids and file hashes."""
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


def _from_files(folder: Path, within: Collection[Path]) -> Library:
    endings = {f".{extension}" for extension in formats.EXTENSIONS}
    files: list[str] = []
    skipped: list[Skipped] = []
    others: Counter[str] = Counter()
    for path, reason in _walk(folder, within):
        relative = path.relative_to(folder).as_posix()
        ending = path.suffix.lower()
        if reason is not None:
            skipped.append(Skipped(shown(relative), reason))
        elif ending not in endings:
            others[shown(ending)] += 1
        elif not _is_text(relative):
            skipped.append(Skipped(shown(relative), "The file name is not UTF-8. Rename the file."))
        else:
            files.append(relative)
    tracks = pd.DataFrame({"file": sorted(files)}, dtype=str)
    skipped.sort(key=lambda item: item.file)
    return Library(folder, tracks, tuple(skipped), dict(sorted(others.items())), tabled=False)


def _walk(folder: Path, within: Collection[Path]) -> Iterator[tuple[Path, str | None]]:
    """Yield every file under a folder, with the reason for skipping it (or a folder), or None.

    Links to folders are followed, but every folder is read only once, because links can form cycles.
    """
    folders, linked = [folder], list[Path]()
    seen: set[tuple[int, int]] = set()
    while folders or linked:
        current = folders.pop() if folders else linked.pop(0)
        try:
            status = current.stat()
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            yield current, f"This folder cannot be read: {error.strerror or 'unknown reason'}."
            continue
        if (inode := (status.st_dev, status.st_ino)) in seen:
            yield current, "This link points to a folder that was already read."
            continue
        seen.add(inode)
        for entry in entries:
            if not_music.is_companion(entry.name):
                continue
            path = Path(entry.path)
            if within and entry.is_symlink() and not leads_into(path, within):
                yield path, _LEADS_OUT
                continue
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                yield path, unreadable(error)
                continue
            if stat.S_ISDIR(mode):
                if not_music.is_bin(entry.name) or _is_index_folder(path):
                    continue
                (linked if entry.is_symlink() else folders).append(path)
            else:
                special = "This is not a regular file but a pipe, a socket or a device."
                yield path, None if stat.S_ISREG(mode) else special


def _is_index_folder(folder: Path) -> bool:
    """Whether a folder in a library is an index, or the working folder of an unfinished one."""
    made = (folder / "manifest.json").is_file() and (folder / "tracks.parquet").is_file()
    return made or (folder.name.startswith(".") and folder.name.endswith(".work"))


def shown(name: str) -> str:
    """A file name as printable text, even if it isn't valid UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _check_widths(table: Path) -> None:
    """Raise an error for rows with more fields than the header; pandas would add an index column."""
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
