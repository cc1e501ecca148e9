"""A taggram: the strongest words of a clip over its ten 3 s stretches, as a panel under the playhead.

Each cell says how much of the library, track for track, the word applies to less than to that stretch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.panels import Panel, quantise
from soundalike.audio.clip import HOP_LENGTH, SAMPLE_RATE
from soundalike.models import stretches
from soundalike.words import naming, strengths, vocabulary
from soundalike.words.library import LibraryWords
from soundalike.words.strengths import Probabilities

NAME = "words"
ROWS = 8
"""Maximum number of words."""
_LEVELS = 200


def panel(library: LibraryWords, clip: Probabilities, frames: int) -> Panel | None:
    """The panel of a clip, or None if no word applies to any stretch.

    Parameters
    ----------
    library : the words of the library to compare with
    clip : probabilities of the clip's stretches [shapes=(10, 50) and (10, 521)]
    frames : number of frames shown
    """
    chosen = _strongest(library, clip)
    if not chosen:
        return None
    scores = strengths.scores(clip, library.usual, library.names)
    shares = 100 * np.stack([library.shares(row) for row in scores], axis=1)[chosen]
    words = vocabulary.words()
    names = tuple(words[place].name for place in chosen)
    return Panel(
        NAME,
        "Words over time",
        # Row 0 is the lowest, and the strongest word comes on top.
        quantise(shares[::-1][:, _stretch_of_frames(frames)].astype(np.float32), 0.0, 100.0, _LEVELS),
        _LEVELS,
        0.0,
        100.0,
        "%",
        "Word",
        names[::-1],
        tuple((float(place), name) for place, name in enumerate(names[::-1])),
        _summary(names, shares),
    )


def _strongest(library: LibraryWords, clip: Probabilities) -> list[int]:
    """The words that apply to some stretch, the strongest first; positions in the vocabulary."""
    scores = strengths.scores(clip, library.usual, library.names)
    words = vocabulary.words()
    best: dict[int, float] = {}
    for number in range(len(scores)):
        stretch = Probabilities(clip.tags[number], clip.classes[number])
        for named in naming.sounds_like(library, stretch).words:
            place = vocabulary.positions()[named.word]
            best[place] = max(best.get(place, -np.inf), named.score)
    ordered = sorted(best, key=lambda place: (-best[place], words[place].name))
    return ordered[:ROWS]


def _stretch_of_frames(frames: int) -> NDArray[np.intp]:
    return stretches.of_middles(np.arange(frames) * HOP_LENGTH / SAMPLE_RATE)


def _summary(names: tuple[str, ...], shares: NDArray[np.float64]) -> str:
    parts = []
    for name, row in zip(names[:3], shares[:3], strict=True):
        begin = float(row.argmax()) * stretches.SECONDS
        parts.append(f"{name} from {begin:.0f} s")
    return f"Strongest: {', '.join(parts)}."
