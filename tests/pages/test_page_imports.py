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
PAGES = {
    "recommend": NEVER | SOUND,
    "recommend?kind=journey&to=0102": NEVER | SOUND,
    "map": NEVER | SOUND,
    "map?show=tracks&find=piano": NEVER | SOUND,
    "features?by=vgg_mel": NEVER | SOUND,
    "features?by=genre_head": NEVER | SOUND,
    "compare": NEVER | SOUND,
    "about": NEVER | SOUND,
    "about?section=data": NEVER | SOUND,
    "about?section=models": NEVER | SOUND,
    "about?section=evaluation": NEVER | SOUND,
    # These decode a clip and draw it.
    "anatomy": NEVER,
    "about?section=method": NEVER,
}
"""What must not be there once a page, at an address, is drawn."""

RUN = """
import sys
from urllib.parse import parse_qsl
from streamlit.testing.v1 import AppTest

app = AppTest.from_file({app!r}, default_timeout=60)
page, _, query = {address!r}.partition("?")
if page != "recommend":
    app.run()
    app.switch_page(f"pages/{{page}}.py")
for name, value in parse_qsl(query):
    app.query_params[name] = value
app.run()
assert not app.exception, app.exception
assert not app.error, app.error
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize("address", PAGES)
def test_a_page_loads_nothing_that_it_does_not_need(address: str) -> None:
    code = RUN.format(app=str(ROOT / "app.py"), address=address)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    loaded = set(done.stdout.split())
    assert {"streamlit", "soundalike"} <= loaded
    assert not loaded & PAGES[address]
