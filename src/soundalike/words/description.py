"""Reading a description such as "calm piano with strings, no vocals".

Words are matched to the vocabulary by their stems (Porter, "Snowball", 2001), the longest phrase first.
A misspelt word is replaced by a similar one of the vocabulary. "No" and "without" negate what follows,
up to a comma, "with" or "but". Words that aren't known are reported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from soundalike.features import descriptors
from soundalike.words import measures, vocabulary

LONGEST_TEXT = 300
"""Characters of a description that are read."""
LONGEST_PHRASE = 4
MIN_LETTERS = 4
"""Minimum length of a word whose spelling is corrected."""
SIMILAR = 84.0
"""Minimum similarity of a misspelt word to the one meant, in percent (normalised indel similarity)."""
SLOWEST, FASTEST = 30.0, 300.0
"""Range of tempos in BPM that are understood."""

UNKNOWN_SHOWN = 5
"""Number of unknown words that are named."""

NEGATIONS = frozenset(
    {"no", "not", "without", "non", "minus", "except", "lacking", "never", "don't", "dont"}
)
_NOT = r"((?:\b(?:not|no|without|except)\s+(?:in\s+|at\s+)?)?)"
"""What negates a tempo or key that follows at once."""
ENDS = frozenset({"with", "but", "plus", "featuring", "only", "just", ",", ".", ";", "!", "?"})
"""What ends a negation."""


@dataclass(frozen=True)
class Term:
    """One property that a description asks for.

    Attributes
    ----------
    name : the word of the vocabulary or measure, a tempo ("120 BPM") or a key ("C minor")
    wanted : False if the description asks for its absence
    """

    name: str
    wanted: bool = True

    @property
    def label(self) -> str:
        """How it is shown: "piano" or "no piano"."""
        return self.name if self.wanted else f"no {self.name}"


@dataclass(frozen=True)
class Description:
    """What was understood of a text.

    Attributes
    ----------
    terms : properties, each once, in the order of the text
    corrected : misspelt words and what was read instead
    unknown : words that are not in the vocabulary
    cut : whether the text was too long and its end was not read
    """

    terms: tuple[Term, ...]
    corrected: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    cut: bool = False


def read(text: str) -> Description:
    """Read a description of any length and content."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    terms: dict[str, Term] = {}
    corrected: dict[str, str] = {}
    unknown: dict[str, None] = {}
    short, tempos = _take_tempos(plain[:LONGEST_TEXT])
    short, keys = _take_keys(short)
    for token, found, wanted in _phrases(_tokens(short)):
        if isinstance(found, str):
            terms.setdefault(found, Term(found, wanted))
            if token:
                corrected[token] = found
        else:
            unknown[token] = None
    for item in (*tempos, *keys):
        terms.setdefault(item.name, item)
    return Description(
        tuple(terms.values()), tuple(corrected.items()), tuple(unknown), len(plain) > LONGEST_TEXT
    )


def notes(understood: Description) -> list[str]:
    """What was read otherwise than typed, not known, or not read, in sentences."""
    sentences = []
    if understood.corrected:
        pairs = ", ".join(f"“{typed}” as “{meant}”" for typed, meant in understood.corrected)
        sentences.append(f"We read {pairs}.")
    if understood.unknown:
        shown = ", ".join(f"“{word[:24]}”" for word in understood.unknown[:UNKNOWN_SHOWN])
        more = len(understood.unknown) - UNKNOWN_SHOWN
        sentences.append(f"We don't know {shown}{f' and {more} more words' if more > 0 else ''}.")
    if understood.cut:
        sentences.append(f"We read the first {LONGEST_TEXT} characters.")
    return sentences


def term(name: str, wanted: bool = True) -> Term | None:
    """The term of a name or label ("no piano"), or None if there is none."""
    if name.startswith("no ") and name not in _names():
        return term(name[3:], not wanted)
    known = name in _names() or tempo_of(name) is not None or key_of(name) is not None
    return Term(name, wanted) if known else None


def tempo_of(name: str) -> float | None:
    """The tempo of a term like "120 BPM"."""
    found = re.fullmatch(r"(\d{2,3}) BPM", name)
    return float(found[1]) if found and SLOWEST <= float(found[1]) <= FASTEST else None


def key_of(name: str) -> tuple[int, int | None] | None:
    """The tonic and mode of a term like "C minor"; the mode is None for "C" alone."""
    tonic, _, mode = name.partition(" ")
    if tonic not in descriptors.PITCH_CLASSES or mode not in ("", "major", "minor"):
        return None
    return descriptors.PITCH_CLASSES.index(tonic), {"": None, "major": 0, "minor": 1}[mode]


def _take_tempos(text: str) -> tuple[str, list[Term]]:
    pattern = rf"{_NOT}\b(\d{{2,3}})\s*(?:bpm|beats per minute)\b"
    found = [Term(f"{number} BPM", not negation) for negation, number in re.findall(pattern, text)]
    return re.sub(pattern, " ", text), [term for term in found if tempo_of(term.name) is not None]


def _take_keys(text: str) -> tuple[str, list[Term]]:
    # "A minor key" is any minor key.
    key = r"\b(?!a\s+(?:major|minor)\s+key)([a-g])\s*(#|♯|b|♭|sharp|flat)?\s*(major|minor)\b"
    pattern = _NOT + key
    terms = []
    for negation, letter, sign, mode in re.findall(pattern, text):
        step = 1 if sign in ("#", "♯", "sharp") else -1 if sign else 0
        tonic = (descriptors.PITCH_CLASSES.index(letter.upper()) + step) % 12
        terms.append(Term(measures.key_name(tonic, int(mode == "minor")), not negation))
    return re.sub(pattern, " ", text) if terms else text, terms


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:['&.+-][^\W_]+)*|[,.;!?]", text)


def _phrases(tokens: list[str]) -> Iterator[tuple[str, str | None, bool]]:
    """Each misspelt or unknown word, what is meant by it or by a phrase, and whether it is wanted."""
    place, wanted = 0, True
    while place < len(tokens):
        token = tokens[place]
        length, name = _longest(tokens[place : place + LONGEST_PHRASE])
        if name is not None:
            yield "", name, wanted
            place += length
            continue
        place += 1
        if token in NEGATIONS:
            wanted = False
        elif token in ENDS:
            wanted = True
        elif token not in _small_words():
            similar = _similar(token)
            yield token, similar, wanted


def _longest(tokens: list[str]) -> tuple[int, str | None]:
    """The longest phrase at the start of some tokens, and the name that it stands for."""
    for length in range(len(tokens), 0, -1):
        name = _phrasebook().get(_stems(" ".join(tokens[:length])))
        if name is not None:
            return length, name
    return 0, None


def _similar(token: str) -> str | None:
    """The name that a misspelt word probably stands for."""
    from rapidfuzz import fuzz, process

    if len(token) < MIN_LETTERS:
        return None
    found = process.extractOne(token, _spellings().keys(), scorer=fuzz.ratio, score_cutoff=SIMILAR)
    return None if found is None else _spellings()[found[0]]


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(word.name for word in vocabulary.words()) | {m.name for m in measures.MEASURES}


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Every name and synonym in lower case, and the name it stands for; a name comes before synonyms."""
    found: dict[str, str] = {}
    items: tuple[vocabulary.Word | measures.Measure, ...] = (*vocabulary.words(), *measures.MEASURES)
    for item in items:
        found.setdefault(item.name.casefold(), item.name)
    for item in items:
        for synonym in item.synonyms:
            found.setdefault(synonym.casefold(), item.name)
    return found


@lru_cache(maxsize=1)
def _phrasebook() -> dict[str, str]:
    found: dict[str, str] = {}
    for spelling, name in _spellings().items():
        found.setdefault(_stems(spelling), name)
    return found


@lru_cache(maxsize=4_096)
def _stems(phrase: str) -> str:
    return " ".join(_stemmer().stemWord(part) for part in re.split(r"[\s-]+", phrase))


@lru_cache(maxsize=1)
def _small_words() -> frozenset[str]:
    """Words that ask for nothing in particular."""
    return frozenset(resources.files(__package__).joinpath("small_words.txt").read_text("utf-8").split())


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")
