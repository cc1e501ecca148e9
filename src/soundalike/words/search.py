"""Ranking a library by a description.

For each term a track gets the share of the library to which the term applies less. A description's match
is the geometric mean of the shares of its terms, so a track has to satisfy all of them. A negated term
counts with one minus its share. Unknown values count as one half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.words import description, library, measures, vocabulary
from soundalike.words.description import Description, Term
from soundalike.words.library import LibraryWords

CLEAR = 0.7
"""Share from which a term is met."""


@dataclass(frozen=True, eq=False)
class Matches:
    """How well each track of a library matches a description.

    Attributes
    ----------
    terms : the terms that could be compared
    shares : share of the library that each term applies to less, for each track [shape=(n, terms)]
    match : geometric mean over the terms [shape=(n,), range 0 to 1]
    missing : terms for which the index has no measurements
    absent : wanted terms that no track of the library clearly has
    """

    terms: tuple[Term, ...]
    shares: NDArray[np.float32]
    match: NDArray[np.float32]
    missing: tuple[Term, ...]
    absent: tuple[Term, ...]

    def met(self, row: int) -> tuple[bool, ...]:
        """Which terms a track clearly meets."""
        return tuple(bool(share >= CLEAR) for share in self.shares[row])


def search(index: Index, models: ModelStore, terms: Sequence[Term]) -> Matches:
    """Compare a library's tracks with the terms of a description.

    Parameters
    ----------
    index : the library
    models : the networks; only the table of YAMNet's classes is read
    terms : at least one term

    Raises
    ------
    ValueError
        If there are no terms.
    """
    if not terms:
        raise ValueError("a search by description needs at least one term")
    words = library.of(index, models)
    compared, columns, missing = [], [], []
    for term in terms:
        column = _shares(index, words, term.name)
        if column is None:
            missing.append(term)
        else:
            compared.append(term)
            columns.append(column if term.wanted else 1 - column)
    shares = np.stack(columns, axis=1) if columns else np.zeros((len(index), 0), np.float32)
    least = 1 / (2 * max(len(index), 1))
    match = np.exp(np.log(np.maximum(shares, least)).mean(axis=1)) if columns else np.zeros(len(index))
    return Matches(
        tuple(compared),
        shares,
        np.asarray(match, np.float32),
        tuple(missing),
        tuple(term for term in compared if term.wanted and words and _is_absent(words, term.name)),
    )


def _shares(index: Index, words: LibraryWords | None, name: str) -> NDArray[np.float32] | None:
    values = values_of(index, words, name)
    return None if values is None else shares_of(values)


def shares_of(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Share of the known values below each [shape=(n,)]; ties in the middle, one half if unknown."""
    known = np.isfinite(values)
    shares = np.full(len(values), 0.5, np.float32)
    ordered = np.sort(values[known])
    ranks = sum(np.searchsorted(ordered, values[known], side) for side in ("left", "right"))
    shares[known] = ranks / (2 * max(len(ordered), 1))
    return shares


def values_of(index: Index, words: LibraryWords | None, name: str) -> NDArray[np.floating] | None:
    """Each track's value for a term, larger where it applies better [shape=(n,)]; NaN where unknown.

    None if the index lacks the measurements or words.
    """
    if name in vocabulary.positions():
        return None if words is None else words.scores[:, vocabulary.positions()[name]]
    if (bpm := description.tempo_of(name)) is not None:
        return measures.near_tempo(index, bpm)
    if (key := description.key_of(name)) is not None:
        return measures.in_key(index, *key)
    return measures.values(index, next(m for m in measures.MEASURES if m.name == name))


def _is_absent(words: LibraryWords, name: str) -> bool:
    """Whether no track of a library clearly has a word, by the rule of `naming`."""
    if name not in vocabulary.positions():
        return False
    return not bool(words.clear[:, vocabulary.positions()[name]].any())


def best(found: Matches, length: int) -> list[int]:
    """Rows of the best matches, best first; ties in row order."""
    return [int(row) for row in np.argsort(-found.match, kind="stable")[:length]]


def notes(understood: Description, found: Matches) -> list[str]:
    """What the reader of the results should know, in sentences."""
    sentences = description.notes(understood)
    if found.missing:
        sentences.append(unavailable(found.missing))
    if found.absent:
        names = ", ".join(term.name for term in found.absent)
        sentences.append(f"No track in this library clearly has this: {names}.")
    return sentences


def unavailable(missing: Sequence[Term]) -> str:
    """A sentence that says which terms the index can't compare, and what to do."""
    return no_data([term.name for term in missing])


def no_data(names: Sequence[str]) -> str:
    """The same for names of words and quantities."""
    listed = ", ".join(names)
    return (
        f"This library has no data on: {listed}. Rebuild its index with `soundalike index --complete`."
    )
