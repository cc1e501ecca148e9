"""The address of a page that a test runs without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def parameters(app: AppTest) -> dict[str, str]:
    """The parameters that the page has written into its address."""
    return dict(app.session_state["address"])
