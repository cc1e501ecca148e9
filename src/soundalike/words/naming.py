"""Naming what a clip sounds like, in a few words with honest strengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundalike.words import strengths, vocabulary
from soundalike.words.library import LibraryWords
from soundalike.words.strengths import Probabilities

UNUSUAL = 0.85
"""A word is named only if its score is above that of this share of the library."""
AGREEING = 0.7
"""Where both networks know a word, each must be above this share of the library."""
LEAST_SCORE = 0.0
MUSIC, SPEECH, SILENCE = "Music", "Speech", "Silence"
LEAST_MUSIC = 0.25
"""Below this probability of "Music" nothing about music is named."""
MOST = {"genre": 3, "instrument": 4, "voice": 2, "mood": 2, "era": 1}
"""Maximum number of words of each kind."""


@dataclass(frozen=True)
class Named:
    """A word that applies to a clip.

    Attributes
    ----------
    word : the word
    kind : one of `vocabulary.MUSICAL`
    share : share of the library to which it applies less [range 0 to 1]
    score : see `strengths`
    """

    word: str
    kind: str
    share: float
    score: float


@dataclass(frozen=True)
class Naming:
    """What a clip sounds like.

    Attributes
    ----------
    words : the strongest words of each kind, in the order of the kinds
    warning : a sentence if the clip may not be music, otherwise empty; then there are no words
    """

    words: tuple[Named, ...]
    warning: str = ""


def sounds_like(library: LibraryWords, clip: Probabilities) -> Naming:
    """Name what a clip sounds like, compared with a library.

    Parameters
    ----------
    library : the library's words
    clip : the clip's probabilities [shapes=(50,) and (521,)]
    """
    warning = not_music(clip, library.names)
    if warning:
        return Naming((), warning)
    scores = strengths.scores(clip, library.usual, library.names)
    shares = library.shares(scores)
    supported = _supported(library, clip)
    words = vocabulary.words()
    named = [
        Named(words[place].name, words[place].kind, float(shares[place]), float(scores[place]))
        for place in np.argsort(-scores, kind="stable")
        if supported[place] and shares[place] >= UNUSUAL and scores[place] >= LEAST_SCORE
    ]
    chosen = [
        item for kind, most in MOST.items() for item in [n for n in named if n.kind == kind][:most]
    ]
    return Naming(tuple(chosen))


def not_music(clip: Probabilities, names: tuple[str, ...]) -> str:
    """A sentence if YAMNet hardly finds music in a clip; otherwise empty."""
    probability = dict(zip(names, map(float, clip.classes), strict=True))
    if probability[MUSIC] >= LEAST_MUSIC:
        return ""
    if probability[SILENCE] >= 0.5:
        return "This is almost silent."
    if probability[SPEECH] > probability[MUSIC] and probability[SPEECH] >= 0.2:
        return "This may be speech, not music."
    return "This may not be music."


def _supported(library: LibraryWords, clip: Probabilities) -> np.ndarray:
    """Whether the networks that know each word have enough evidence for it [shape=(words,)]."""
    own = strengths.evidence(clip, library.usual, library.names)
    agree = [
        np.isnan(evidence) | (shares >= AGREEING)
        for evidence, shares in zip(own, library.shares_of_evidence(own), strict=True)
    ]
    return np.asarray(agree[0] & agree[1] & strengths.is_clear(clip, library.names))
