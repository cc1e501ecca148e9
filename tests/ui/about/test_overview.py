"""The About page's first section."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from soundalike import paths, representations
from soundalike.evaluation import results
from soundalike.index import index as indexes
from soundalike.ui.about import overview


def test_the_numbers_are_the_index_s() -> None:
    page = AppTest.from_file(str(paths.ROOT / "pages" / "about.py"), default_timeout=30).run()
    assert not page.exception
    index = indexes.load(paths.BUNDLED_INDEX)
    (own, _) = results.reports(index)
    (best,) = (row for row in own.table().to_dict("records") if row["name"] == representations.DEFAULT)
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Tracks in this library"] == f"{len(index):,}"
    assert shown["Numbers that describe a clip"] == f"{best['dim']:,}"
    assert shown["Of ten neighbours, those that share the genre"] == f"{best['precision']:.0%}"


def test_a_library_of_another_representation_names_it() -> None:
    names = [title for title, _ in overview.steps("vgg_mel", 25_088, 10)]
    assert names[1] == "A representation"
    assert overview.steps("soundalike", 0, 10)[2][1] == "numbers for the sound"


def test_foreign_words_are_no_markup() -> None:
    assert "&lt;b&gt;" in overview.diagram([("<b>", "x")])
