"""The words that the app uses for sound, and what the two networks call them.

`vocabulary.csv` beside this module has one word per line: its kind, the music tagger's tags and YAMNet's
classes that mean the same, and synonyms that people type. Both networks know most genres, so their
answers can be compared. Only YAMNet knows most instruments, and only the tagger knows decades.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

KINDS = ("genre", "instrument", "voice", "mood", "era", "other")
"""What a word can be about; "other" is about sounds that are not music."""
MUSICAL = KINDS[:-1]


@dataclass(frozen=True)
class Word:
    """A word for sound.

    Attributes
    ----------
    name : the word as it is shown
    kind : one of `KINDS`
    tags : names of the tagger's outputs (`tagger.TAGS`) with this meaning
    classes : display names of YAMNet's classes with this meaning
    synonyms : other words for it
    """

    name: str
    kind: str
    tags: tuple[str, ...]
    classes: tuple[str, ...]
    synonyms: tuple[str, ...]


@lru_cache(maxsize=1)
def words() -> tuple[Word, ...]:
    """All words, in the order of the table."""
    table = resources.files(__package__).joinpath("vocabulary.csv").read_text(encoding="utf-8")
    return tuple(
        Word(row["word"], row["kind"], *(_split(row[part]) for part in ("tags", "classes", "synonyms")))
        for row in csv.DictReader(table.splitlines())
    )


@lru_cache(maxsize=1)
def positions() -> dict[str, int]:
    """Position of each word in `words`, by name."""
    return {word.name: place for place, word in enumerate(words())}


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)
