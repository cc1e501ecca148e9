"""The table of words against the two networks' own names."""

from __future__ import annotations

from collections import Counter

import pytest

from soundalike.models import ModelStore, tagger, yamnet
from soundalike.words import description, measures, vocabulary


def test_each_word_is_known_to_a_network(models: ModelStore) -> None:
    classes = yamnet.class_names(models.file("yamnet"))
    for word in vocabulary.words():
        assert word.tags or word.classes, word.name
        assert set(word.tags) <= set(tagger.TAGS), word.name
        assert set(word.classes) <= set(classes), word.name
        assert word.kind in vocabulary.KINDS


def test_every_tag_of_the_tagger_has_a_word() -> None:
    used = {tag for word in vocabulary.words() for tag in word.tags}
    assert set(tagger.TAGS) - used == set()


def test_names_and_synonyms_stand_for_one_thing() -> None:
    items = (*vocabulary.words(), *measures.MEASURES)
    spellings = Counter(
        spelling.casefold() for item in items for spelling in {item.name, *item.synonyms}
    )
    assert [spelling for spelling, count in spellings.items() if count > 1] == []


@pytest.mark.parametrize("item", [*vocabulary.words(), *measures.MEASURES], ids=lambda item: item.name)
def test_each_name_and_synonym_is_read_as_its_word(item) -> None:
    for spelling in (item.name, item.name.upper(), *item.synonyms):
        read = description.read(spelling)
        assert [term.name for term in read.terms] == [item.name], spelling
        assert not read.corrected, spelling
        assert not read.unknown, spelling
