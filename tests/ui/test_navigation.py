"""The header's clip and the pages' names."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from soundalike import paths
from soundalike.ui import components


def run(**query: str) -> AppTest:
    app = AppTest.from_file(str(paths.ROOT / "app.py"), default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def header(app: AppTest) -> list[str]:
    return [button.label for button in app.button if str(button.key).startswith("header_")]


def test_the_header_offers_every_page_for_a_track_of_the_library() -> None:
    app = run(track="0102")
    assert not app.exception
    assert header(app) == [
        "Recommend from this",
        "See inside",
        "Show on map",
        "What fires",
        "Compare from this",
        "Choose another clip",
    ]
    assert any(text.value.startswith("**Meditation** by ") for text in app.markdown)


def test_every_page_has_an_icon() -> None:
    files = {path.stem for path in (paths.ROOT / "pages").glob("*.py")}
    assert set(components.ICONS) == files
    assert all(icon.startswith(":material/") for icon in components.ICONS.values())
