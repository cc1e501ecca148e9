"""Whatever a link or a browser sends, a validator returns a value of its kind, or none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike import paths
from soundalike.analysis.dimension_cache import FeatureStore
from soundalike.index import index as indices
from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.ui import components, incoming
from soundalike.ui.features import parts
from soundalike.ui.map import component

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "src" / "soundalike" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
LONG = "9" * 5_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(LONG),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["action", "track", "ids", "names", "selection", "rows"]), inner
        )
    ),
    max_leaves=8,
)
ODD: tuple[Any, ...] = (
    *(None, True, 7, -1, 1e99, float("nan"), "", "x", LONG, "0102\0", [], [[]], [1, None, {}], {}),
    *({"action": "pin"}, {"action": ["pin"], "track": "0102"}, {"action": "pin", "track": ["0102"]}),
    *({"action": "drop", "track": "0102"}, {"action": "pin", "track": "nobody"}, {"ids": {}}),
    *({"ids": [[], {}, "nobody", 7]}, {"names": "abc"}, {"names": [1, [], {}]}),
)


@pytest.fixture(scope="module")
def index() -> Index:
    return indices.load(paths.BUNDLED_INDEX)


@given(value=JSON)
def test_a_validator_never_raises(index: Index, value: object) -> None:
    assert incoming.number(value, range(32)) in {None, *range(32)}
    assert len(incoming.text(value, 5)) <= 5
    assert all(len(one) <= 5 for one in incoming.texts(value, 5, 3))
    assert incoming.option(value, [1, 2], 1) in (1, 2)
    assert incoming.web_address(value) == ""
    assert set(incoming.chosen(value, ["a", "b"], 2)) <= {"a", "b"}
    assert incoming.track(index, value) is None or index.has(value)
    assert all(map(index.has, incoming.tracks(index, value)))
    assert incoming.action(index, value, ["pin"]) is None
    assert incoming.row(value, range(3)) in (None, 0, 1, 2)
    both = incoming.span(value, range(32))
    assert both is None or 0 <= both[0] <= both[1] < 32
    found = incoming.share(value)
    assert found is None or 0 < abs(found) <= 1


def test_values_of_our_own_are_taken(index: Index) -> None:
    assert incoming.number("16", range(32)) == incoming.number(16, range(32)) == 16
    assert incoming.number(True, range(32)) is None
    assert incoming.number("²", range(32)) is None
    assert incoming.number(LONG, range(32)) is None
    assert incoming.share("-0.5") == -0.5
    assert incoming.option("10", range(5, 51), 7) == 10
    assert incoming.chosen("b,a,b,c", ["a", "b"], 4) == ["b", "a"]
    assert incoming.tracks(index, "0235,nobody,0102,0235") == ["0235", "0102"]
    assert incoming.tracks(index, ["0235", 7, "0235"]) == ["0235"]
    assert incoming.texts(["Rock", "", 3, "Jazz"], 9, 9) == ["Rock", "Jazz"]
    assert incoming.action(index, {"action": "pin", "track": "0102"}, ["pin"]) == ("pin", "0102")
    assert incoming.row({"selection": {"rows": [1]}}, ["a", "b"]) == "b"


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments of the component that is mounted last; it sends nothing by itself."""
    arguments: dict[str, Any] = {}

    def mount(**given: Any) -> None:
        arguments.clear()
        arguments.update(given)

    monkeypatch.setattr(components, "_tracks", mount)
    monkeypatch.setattr(parts, "_register_grid", lambda: mount)
    monkeypatch.setattr(component, "_register", lambda: (mount, mount))
    return arguments


def send(mounted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    """Have a component send a value, as the browser does."""
    state = {mounted["key"]: SimpleNamespace(**{name: value})}
    monkeypatch.setattr(incoming, "st", SimpleNamespace(session_state=state))
    mounted[f"on_{name}_change"]()


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_component_that_sends_odd_values_changes_nothing(
    value: object, index: Index, mounted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FeatureStore(index, ModelStore())
    acts: list[object] = []
    data = {"edits": [{"name": "pin"}], "actions": components.actions(), "tracks": []}
    components.editable_table(index, data, "table", lambda *act: acts.append(act))
    send(mounted, monkeypatch, "chosen", value)
    parts.dimension_list(store, "Some", [], "genre_head", "grid", acts.append)
    if value != 7:
        send(mounted, monkeypatch, "chosen", value)
    found: list[Any] = []
    points = component.content({}, "", "map")
    component.draw(index, points, "map", acts.append, found.append, found.append, found.append)
    for name in ("chosen", "area", "hidden", "view"):
        send(mounted, monkeypatch, name, value)
    assert acts == []
    area, hidden, view = found
    assert (area, hidden) == ([], [])
    assert view == (value[:60] if isinstance(value, str) else "")


def test_a_component_s_own_values_arrive(
    index: Index, mounted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    acts: list[object] = []
    store = FeatureStore(index, ModelStore())
    data = {"edits": [{"name": "pin"}], "actions": components.actions(), "tracks": []}
    components.editable_table(index, data, "table", lambda *act: acts.append(act))
    for name in ("pin", "recommend", "anatomy"):
        send(mounted, monkeypatch, "chosen", {"action": name, "track": "0102"})
    parts.dimension_list(store, "Some", [], "genre_head", "grid", acts.append)
    send(mounted, monkeypatch, "chosen", 31)
    points = component.content({}, "", "map")
    component.draw(index, points, "map", acts.append, acts.append, acts.append, acts.append)
    send(mounted, monkeypatch, "chosen", "0235")
    send(mounted, monkeypatch, "area", {"ids": ["0235", "0102"]})
    send(mounted, monkeypatch, "hidden", {"names": ["Rock"]})
    send(mounted, monkeypatch, "view", "0.10_0.20_0.00_2.00_0.00_0.00")
    # Another page opens after the run, not in the callback.
    assert acts == [
        *(("pin", "0102"), ("recommend", "0102"), 31, "0235", ["0235", "0102"], ["Rock"]),
        "0.10_0.20_0.00_2.00_0.00_0.00",
    ]


def unchecked(tree: ast.Module) -> Iterator[str]:
    """Where a value from outside is read and no validator looks at it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "st.query_params.get" or called.startswith("st.query_params.get_all"):
                yield f"line {node.lineno}: {called}"
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            if ast.unparse(node.value) == "st.query_params":
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value).startswith("st.session_state["):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Attribute) and node.attr == "selection":
            yield f"line {node.lineno}: {ast.unparse(node)}"


def test_unchecked_values_are_found() -> None:
    code = (
        "st.query_params.get('a')\nst.query_params['b']\nst.session_state[key].chosen['action']\n"
        "st.session_state.table.selection.rows\nst.query_params['c'] = 1\nincoming.parameter('d')\n"
    )
    assert [line.split(": ")[1] for line in sorted(unchecked(ast.parse(code)))] == [
        "st.query_params.get",
        "st.query_params['b']",
        "st.session_state[key].chosen",
        "st.session_state.table.selection",
    ]


def test_every_value_from_outside_is_checked() -> None:
    assert len(SOURCES) > 20
    found = {
        path.name: wrong
        for path in SOURCES
        if path.name != "incoming.py"
        and (wrong := list(unchecked(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8501",
        "https://music.example.org/base/app",
        "http://[::1]:80",
        "http://10.0.0.7",
    ],
)
def test_an_address_on_the_web_is_taken(address: str) -> None:
    assert incoming.web_address(address) == incoming.web_address(f" {address}/ ") == address


@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", "ftp://host", "host:80", "http://", "http://me:pw@host"),
        *("http://a/?b=c", "http://a/#b", "http://a b", "http://a/<script>", "http://a/..%2f"),
        "http://" + "a" * 400,
    ],
)
def test_what_is_no_address_on_the_web_is_not(address: str) -> None:
    assert incoming.web_address(address) == ""
