"""Model cards, and figures read from them and from an index.

No figure is typed in by hand: a card is the file next to its model, and a figure is from a card's tables
or computed from the index.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike import paths, representations
from soundalike.evaluation import metrics
from soundalike.index import storage
from soundalike.index import text_search as searching
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.playlist import query

if TYPE_CHECKING:
    import pandas as pd

MAX_TRACKS_COMPARED = 1_000
"""Maximum size of a library whose tracks are all compared while a user waits."""
MAX_COLUMNS = 6
"""Maximum number of columns for a phone; wider tables scroll."""
_TABLE = re.compile(r"(?:^\|.*\n?)+", re.M)
_SEARCHED = ("title", "artist", "album", "genre", "licence", "package")


@dataclass(frozen=True)
class Card:
    """A model card.

    Attributes
    ----------
    name : file name, without suffix
    title : its first heading
    text : the whole card in Markdown
    bundled : whether it's one of ours; an index can bring models with cards of its own
    """

    name: str
    title: str
    text: str
    bundled: bool = False

    def section(self, heading: str) -> str:
        """Text under a second-level heading; "" if there is no such heading."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.text, re.M | re.S)
        return found.group(1).strip() if found else ""

    def tables(self, heading: str) -> list[list[list[str]]]:
        """The tables of a section, each a list of rows of cells, the header first."""
        return [_rows(block) for block in _TABLE.findall(self.section(heading))]


def cards(folder: Path = paths.MODELS) -> list[Card]:
    """The model cards of a folder, by file name."""
    return [_card(path) for path in sorted(folder.glob("*.md"))]


def card(name: str, folder: Path = paths.MODELS) -> Card | None:
    """The card of one model, by its file name without suffix; None if there is none."""
    path = folder / f"{name}.md"
    return _card(path) if path.is_file() else None


def head_card(index: Index, models: ModelStore) -> Card | None:
    """The card of the genre head that an index was made with, its own or the bundled one.

    Parameters
    ----------
    index : the library
    models : the networks of that index, from `Index.models`

    Returns
    -------
    None if the index has no predicted genres, was made with another head, or the head has no card
    """
    made_with = index.manifest["models"].get("genre_head")
    if made_with is None or not models.file("genre_head").is_file():
        return None
    if models.checksum("genre_head") != made_with:
        return None
    path = models.file("genre_head").with_suffix(".md")
    return _card(path) if path.is_file() else None


def head_accuracy(card: Card | None) -> float | None:
    """Accuracy of a genre head on held-out tracks, 0 to 1; None if unknown."""
    first = next(iter(accuracies(card).values()), {}) if card is not None else {}
    return first.get("genre head")


def model_cards(index: Index) -> list[Card]:
    """Cards of the models used with an index: the bundled ones, replaced by the index's own."""
    own = storage.own_models(index.folder, index.manifest)
    beside = [path.with_suffix(".md") for path in own.values()]
    brought = [_card(path) for path in beside if path.is_file()]
    return [*brought, *(card for card in cards() if card.name not in own)]


def accuracies(card: Card) -> dict[str, dict[str, float]]:
    """Held-out accuracy by set of labels and by system, 0 to 1, from a card's "Figures".

    Returns
    -------
    for example {"465 tracks": {"genre head": 0.335, ...}, ...}; empty for a card without such figures
    """
    found = {}
    for header, *rows in card.tables("Figures"):
        if "accuracy" not in header:
            continue
        column = header.index("accuracy")
        found[header[0]] = {row[0]: float(row[column].rstrip("%")) / 100.0 for row in rows}
    return found


def confusion(card: Card) -> tuple[list[str], list[list[int]]] | None:
    """Genres, and counts by [label][prediction], from a card's "Figures"; None if it has none."""
    for header, *rows in card.tables("Figures"):
        if not header[0] and header[1:] == [row[0] for row in rows]:
            return header[1:], [[int(cell) for cell in row[1:]] for row in rows]
    return None


def confused(genres: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Summarise a confusion matrix: the most accurate genre, and the most common mistake."""
    matrix = np.asarray(counts)
    own = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    best = int(np.argmax(own))
    wrong = matrix - np.diag(matrix.diagonal())
    label, taken = divmod(int(np.argmax(wrong)), len(genres))
    return (
        f"The best recognised genre is {genres[best]}, right {own[best]:.0%} of the time. The most "
        f"common mistake is {genres[label]} classified as {genres[taken]}, {wrong[label, taken]} times."
    )


def neighbour_precision(index: Index, name: str, k: int = 10) -> metrics.Precision | None:
    """Share of a track's k nearest by other artists that have its genre, over the whole library.

    None if the library has more than `MAX_TRACKS_COMPARED` tracks, or fewer than k by other artists.
    """
    if len(index) > MAX_TRACKS_COMPARED:
        return None
    parts = index.parts(name)
    vectors = {part: index.array(part)[:] for part in parts}
    genres, names = index.table["genre"], index.artist_keys
    similarities = index.similarities_of_parts(parts, vectors)
    try:
        return metrics.precision_at_k(similarities, genres, names, k=k)
    except ValueError:
        return None


def unlearned(index: Index) -> list[str]:
    """The index's representations that weren't trained on music; any label is a fair test of them."""
    names = [name for name in index.names if index.has_vectors(name)]
    return [name for name in representations.main(names) if _learned_from_photographs(name)]


def _learned_from_photographs(name: str) -> bool:
    return representations.get(name).models == ("vgg16",)


def search(index: Index, text: str, licence: str | None = None) -> pd.DataFrame:
    """Find the tracks that contain every word of a text in any column, optionally with one licence."""
    found = index.tracks
    if text.strip():
        found = found.iloc[searching.find(index, text, _SEARCHED)]
    return found if licence is None else found[found["licence"] == licence]


def licences(tracks: pd.DataFrame) -> dict[str, int]:
    """Number of tracks per licence, largest first; empty if the library has no licences."""
    if "licence" not in tracks:
        return {}
    counts = tracks["licence"].fillna("").astype(str).value_counts()
    return {str(licence): int(n) for licence, n in counts.items() if licence}


def credits_table(tracks: pd.DataFrame) -> pd.DataFrame:
    """Table of credits for readers, without columns that the library lacks."""
    columns = [column for column in ("title", "artist", "album", "genre", "licence") if column in tracks]
    table = tracks[columns].rename(columns=str.capitalize)
    table["Source"] = tracks["file"]
    if "url" in tracks:
        table["Source"] = tracks["url"].where(tracks["url"] != "", tracks["file"])
    if {"package", "package_version", "path_in_package"} <= set(tracks):
        package = tracks["package"] + " " + tracks["package_version"]
        table["Source"] = package + ", " + tracks["path_in_package"]
    return table


def library_credits(index: Index) -> str:
    """The library's CREDITS.md; "" if it has none, or lies where this server may not read."""
    path = index.library_folder / "CREDITS.md"
    # A link could lead to any file of the server.
    if not index.is_playable or not path.is_file() or path.resolve() != path:
        return ""
    return path.read_text(encoding="utf-8")


def demoted(markdown: str) -> str:
    """Markdown for embedding in a page: no title, lower headings, links to files as plain text."""
    lower = re.sub(r"^(#{2,5}) ", r"#\1 ", re.sub(r"\A# .*\n", "", markdown), flags=re.M)
    return re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", lower)


def parts(markdown: str) -> list[str | pd.DataFrame]:
    """Split Markdown into pieces; wide tables become data frames indexed by their first column."""
    import pandas as pd

    found: list[str | pd.DataFrame] = []
    end = 0
    for match in _TABLE.finditer(markdown):
        header, *rows = _rows(match.group())
        if len(header) <= MAX_COLUMNS:
            continue
        index = pd.Index([row[0] for row in rows], name=header[0])
        table = pd.DataFrame([row[1:] for row in rows], index=index, columns=header[1:])
        found += [markdown[end : match.start()], table]
        end = match.end()
    return [*found, markdown[end:]]


def likeness(index: Index, name: str, track_id: str) -> tuple[NDArray[np.float32], int | None]:
    """Similarity of the library's other recordings to a track.

    Returns
    -------
    similarities : similarity of every track that isn't the same recording [shape=(m,)]
    nearest : row of the most similar of these; None if there is none
    """
    asked = query.from_library(index, track_id)
    values = index.similarities(name, asked.embeddings)
    others = np.setdiff1d(np.arange(len(index)), query.duplicates(index, asked))
    if not len(others):
        return values[:0], None
    return values[others], int(others[np.argmax(values[others])])


def _card(path: Path) -> Card:
    text = path.read_text(encoding="utf-8")
    title = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), path.stem)
    return Card(path.stem, title, text, path.parent == paths.MODELS)


def _rows(block: str) -> list[list[str]]:
    """The cells of a Markdown table, the header first."""
    return [_cells(line) for line in block.splitlines() if not _is_rule(line)]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _is_rule(line: str) -> bool:
    return not line.strip(" |:-")
