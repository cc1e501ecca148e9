"""Parameters: a value is either one that the schema allows, or it is refused in a sentence."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.service import parameters
from soundalike.service.parameters import PATH, Choice, Integer, InvalidError, Number, Text, Track
from soundalike.service.problems import INVALID, UNKNOWN_REPRESENTATION, UNKNOWN_TRACK, ProblemError

EACH = (
    Integer("length", "Number of tracks.", default=10, low=1, high=50),
    Number("variety", "How different.", default=0.0, low=0.0, high=1.0),
    Text("text", "Some words.", longest=20),
    Choice("by", "The method.", options=("a", "b")),
    Track("track", "Its ID.", is_known=lambda name: name in ("x", "y")),
    Track("via", "A stop.", most=2, is_known=lambda name: name in ("x", "y")),
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(-100, 100).map(str),
    st.floats().map(repr),
    st.sampled_from(["a", "b", "x", "y", "1", "50", "51", "0.5", "+1", ".5", "1.", "1e0", "١", "１"]),
)


@given(parameter=st.sampled_from(EACH), texts=st.lists(VALUES, min_size=1, max_size=3))
def test_what_is_read_is_what_the_schema_allows(parameter: Any, texts: list[str]) -> None:
    try:
        value = parameter.read(texts)
    except InvalidError as error:
        message = str(error)
        assert f"`{parameter.name}`" in message
        assert message.endswith(".")
        assert message.isprintable()
        return
    if isinstance(value, tuple):
        value = list(value)
    jsonschema.validate(value, parameter.schema())


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (EACH[0], "1", 1),
        (EACH[0], "050", 50),
        (EACH[1], "1e-1", 0.1),
        (EACH[1], "5e-324", 5e-324),
        (EACH[1], ".5", 0.5),
        (EACH[2], " calm piano ", " calm piano "),
        (EACH[3], "b", "b"),
        (EACH[4], "x", "x"),
    ],
)
def test_a_good_value_is_taken(parameter: Any, text: str, value: object) -> None:
    assert parameter.read([text]) == value


def test_what_is_not_given_has_its_default() -> None:
    assert parameters.read(EACH, [], {}) == {
        **{"length": 10, "variety": 0.0, "text": None, "by": None, "track": None, "via": ()},
    }
    assert EACH[0].schema()["default"] == 10
    assert "default" not in EACH[4].schema()


def test_a_name_that_may_be_repeated_is_a_list() -> None:
    assert parameters.read(EACH, [("via", "y"), ("via", "x")], {})["via"] == ("y", "x")
    assert EACH[5].schema()["type"] == "array"


def test_a_value_in_the_path_is_not_one_in_the_query() -> None:
    one = (Track("id", "Its ID.", PATH, required=True, is_known=bool),)
    assert parameters.read(one, [], {"id": "a/b"}) == {"id": "a/b"}
    with pytest.raises(ProblemError, match="This address takes none"):
        parameters.read(one, [("id", "c")], {"id": "a/b"})


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ([("by", "c")], UNKNOWN_REPRESENTATION),
        ([("track", "z")], UNKNOWN_TRACK),
        ([("track", "x"), ("track", "y")], INVALID),
        ([("by", "c"), ("track", "z")], INVALID),
        ([("nothing", "1")], INVALID),
    ],
)
def test_the_problem_says_what_is_wrong(query: list[tuple[str, str]], kind: object) -> None:
    with pytest.raises(ProblemError) as caught:
        parameters.read(EACH, query, {})
    assert caught.value.kind == kind
    assert [one["name"] for one in caught.value.document["parameters"]] == list(dict(query))


def test_a_flood_of_names_is_answered_in_short() -> None:
    with pytest.raises(ProblemError) as caught:
        parameters.read(EACH, [(f"{'x' * 1_000}{number}", "") for number in range(1_000)], {})
    assert len(str(caught.value.document)) < 20_000
