"""What a page loads before something needs it, in a new process as after a server's start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NETWORKS = {"tensorflow", "keras", "openvino"}
NEVER = NETWORKS | {"umap", "matplotlib", "sklearn", "faiss", "implicit", "dask", "distributed"}
SOUND = {"librosa", "numba", "scipy", "soxr", "av", "pyloudnorm"}
ONE_EACH = ("recommend", "map", "features?by=vgg_mel", "compare", "about")
LIGHT = (
    "recommend",
    "recommend?kind=journey&to=0102",
    "recommend?only=piano&voice=without&tempo=80-150&key=A+minor&rhythm=2.0",
    "map",
    "map?show=tracks&find=piano",
    "features?by=vgg_mel",
    "features?by=genre_head",
    "compare",
    "about",
    "about?section=data",
    "about?section=models",
    "about?section=evaluation",
)
"""Pages, by their address, that draw what an index holds."""
DECODING = ("anatomy", "about?section=method")
"""Those that decode a clip and draw it."""
QUICK = (*ONE_EACH, *DECODING[:1])
EVERY = (*LIGHT, *DECODING)

RUN = """
import sys
from urllib.parse import parse_qsl
from streamlit.testing.v1 import AppTest

for address in {addresses!r}:
    app = AppTest.from_file({app!r}, default_timeout=180)
    page, _, query = address.partition("?")
    if page != "recommend":
        app.run()
        app.switch_page(f"pages/{{page}}.py")
    for name, value in parse_qsl(query):
        app.query_params[name] = value
    app.run()
    assert not app.exception, (address, app.exception)
    assert not app.error, (address, app.error)
    assert app.title, address
    print(address, *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


Loaded = dict[str, set[str]]


@pytest.fixture(
    scope="module",
    params=[QUICK, pytest.param(EVERY, marks=pytest.mark.sweep)],
    ids=["one each", "every"],
)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    """What is loaded once each page has been drawn in one new process, the light ones first."""
    code = RUN.format(app=str(ROOT / "app.py"), addresses=request.param)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split() for line in done.stdout.splitlines()]
    found = {address: set(names) for address, *names in lines}
    assert tuple(found) == request.param
    return found


def test_every_page_was_drawn(loaded: Loaded) -> None:
    assert all({"streamlit", "soundalike"} <= names for names in loaded.values())


def test_a_page_loads_nothing_that_it_does_not_need(loaded: Loaded) -> None:
    """Where one does, those that are drawn after it in the same process fail with it."""
    for address, names in loaded.items():
        assert not names & (NEVER if address in DECODING else NEVER | SOUND), address


def test_a_new_servers_first_page_needs_no_pandas(loaded: Loaded) -> None:
    assert "pandas" not in loaded["recommend"]
