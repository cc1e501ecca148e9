"""The tour has six steps, each with a page, and goes one step at a time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from soundalike import paths
from soundalike.index import index as indices
from soundalike.ui.present import tour

PAGES = ["recommend", "recommend", "map", "features", "compare", "about"]


class State(dict[str, object]):
    """A session's state."""

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> State:
    found = State()
    monkeypatch.setattr(tour, "st", SimpleNamespace(session_state=found))
    return found


def test_the_steps_and_their_pages() -> None:
    assert [step.page for step in tour.STEPS] == PAGES
    assert (tour.STEPS[tour.WHY].title, tour.STEPS[tour.BLIND].page) == ("Why this track?", "compare")
    assert all(len(step.words) < 125 and step.words.endswith(".") for step in tour.STEPS)


@pytest.mark.parametrize(
    ("page", "step"), [("recommend", 0), ("map", 2), ("compare", 4), ("about", 5), ("anatomy", 0)]
)
def test_a_page_has_a_step(page: str, step: int) -> None:
    assert tour.step_of(page) == step


def test_there_are_no_jumps(state: State) -> None:
    state[tour.STEP] = 2
    assert [tour.may_go(step) for step in range(6)] == [False, True, True, True, False, False]


def test_the_first_track_is_explained_once(state: State) -> None:
    index = indices.load(paths.BUNDLED_INDEX)
    tour.explain_first(index, [7, 3])
    assert state == {}
    state["present_explains"] = True
    tour.explain_first(index, [7, 3])
    assert state == {"recommend_why": index.ids[7]}
    state.clear()
    tour.explain_first(index, [7, 3])
    assert state == {}
