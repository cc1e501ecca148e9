"""Scores of words from made-up probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.models import ModelStore, tagger
from soundalike.words import strengths, vocabulary
from soundalike.words.library import LibraryWords
from soundalike.words.strengths import Probabilities


@pytest.fixture(scope="module")
def names(models: ModelStore) -> tuple[str, ...]:
    return strengths.class_names(models.file("yamnet"))


def clip(names: tuple[str, ...], **likely: float) -> Probabilities:
    tags, classes = np.full(50, 0.01, np.float32), np.full(521, 0.001, np.float32)
    for name, probability in likely.items():
        if name in tagger.TAGS:
            tags[tagger.TAGS.index(name)] = probability
        else:
            classes[names.index(name)] = probability
    return Probabilities(tags, classes)


def usual(library: Probabilities, names: tuple[str, ...]) -> strengths.Usual:
    return LibraryWords(library, names).usual


def test_the_score_follows_its_formula(names) -> None:
    library = Probabilities(np.full((4, 50), 0.1, np.float32), np.full((4, 521), 0.02, np.float32))
    scores = strengths.scores(clip(names, jazz=0.5, Jazz=0.3), usual(library, names), names)
    by_tags = np.log(0.5) - 0.7 * np.log(0.1)
    by_classes = np.log(0.3) - 0.7 * np.log(0.02)
    place = vocabulary.positions()["jazz"]
    assert scores[place] == pytest.approx((by_tags + by_classes) / 2, abs=1e-4)


def test_a_word_of_one_network_is_scored_by_that_one(names) -> None:
    library = Probabilities(np.full((4, 50), 0.1, np.float32), np.full((4, 521), 0.02, np.float32))
    scores = strengths.scores(clip(names, Harp=0.4), usual(library, names), names)
    expected = np.log(0.4) - 0.7 * np.log(0.02)
    assert scores[vocabulary.positions()["harp"]] == pytest.approx(expected, abs=1e-4)


def test_a_usual_class_counts_less_than_a_rare_one(names) -> None:
    classes = np.full((4, 521), 0.001, np.float32)
    classes[:, names.index("Piano")] = 0.3
    expected = usual(Probabilities(np.full((4, 50), 0.1, np.float32), classes), names)
    scores = strengths.scores(clip(names, Piano=0.3, Harp=0.3), expected, names)
    assert scores[vocabulary.positions()["harp"]] > scores[vocabulary.positions()["piano"]] + 2


def test_probabilities_of_zero_are_finite(names) -> None:
    zero = Probabilities(np.zeros((2, 50), np.float32), np.zeros((2, 521), np.float32))
    assert np.isfinite(strengths.scores(zero, usual(zero, names), names)).all()
