"""Agreement of rankings, by hand and at the limits of the definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike import paths
from soundalike.evaluation import agreement
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.playlist import query

LISTS = st.lists(st.integers(0, 30), max_size=12, unique=True)


@pytest.fixture(scope="module")
def bundled() -> Index:
    return indices.load(paths.ASSETS / "index")


def test_overlap_by_hand() -> None:
    assert agreement.overlap([1, 2, 3, 4], [3, 4, 5, 6]) == 0.5
    assert agreement.overlap([1, 2], [1, 2, 3, 4]) == 0.5
    assert agreement.overlap([], []) == 0.0


def test_rank_biased_overlap_by_hand() -> None:
    # Depths 1 to 3 agree by 0, 1 and 2/3; the weights are 1, 1/2 and 1/4.
    found = agreement.rank_biased_overlap([1, 2, 3], [2, 1, 4], 0.5)
    assert found == pytest.approx((0 + 0.5 * 1 + 0.25 * 2 / 3) / 1.75)


@pytest.mark.parametrize("persistence", [0.0, 1.0, -1.0, 2.0])
def test_persistence_out_of_range(persistence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        agreement.rank_biased_overlap([1], [1], persistence)


@given(LISTS, LISTS)
def test_both_are_symmetric_and_between_0_and_1(first: list[int], second: list[int]) -> None:
    for measure in (agreement.overlap, agreement.rank_biased_overlap):
        assert measure(first, second) == pytest.approx(measure(second, first))
        assert -1e-9 <= measure(first, second) <= 1 + 1e-9
        if first:
            assert measure(first, first) == pytest.approx(1.0)
        assert measure(first, [item + 100 for item in second]) == 0.0


def test_agreement_at_the_top_counts_more() -> None:
    same_top = agreement.rank_biased_overlap([1, 2, 3, 4], [1, 2, 7, 8])
    same_bottom = agreement.rank_biased_overlap([1, 2, 3, 4], [7, 8, 3, 4])
    assert same_top > same_bottom


def test_playlists_for_one_query(bundled: Index) -> None:
    asked = query.from_library(bundled, "0102")
    found = agreement.compare(bundled, asked, ["vgg_mel", "genre_head", "vgg_mel", "vgg_genre"], 10)
    assert [item.representation for item in found.playlists] == ["vgg_mel", "genre_head", "vgg_genre"]
    assert len(found.agreements) == 3
    for item in found.playlists:
        for entry in item.entries:
            lists = [p for p in found.playlists if entry.row in {e.row for e in p.entries}]
            assert found.shared[entry.row] == len(lists)
    by_pair = {(item.first, item.second): item.overlap for item in found.agreements}
    # The joined one holds sound at 85 % of its squared length.
    assert by_pair[("vgg_mel", "vgg_genre")] > by_pair[("vgg_mel", "genre_head")]


def test_unavailable_representation_has_reason(bundled: Index) -> None:
    asked = query.from_library(bundled, "0102")
    found = agreement.compare(bundled, asked, ["vgg_mel", "cf_nothing"], 5)
    assert len(found.playlists) == 1
    assert "cf_nothing" in found.unanswered["cf_nothing"]
    assert found.agreements == ()
