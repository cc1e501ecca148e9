"""Scripts of the components, run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from soundalike.audio.clip import clock
from soundalike.ui import frontend

SECONDS = [0, 0.49, 0.5, 2.5, 29.4, 29.99, 30.0002, 59.5, 144.49, 144.5, 599.6, 3599.5, 7200, -1]


def test_times_read_the_same_in_the_browser_and_here() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node on this machine")
    script = f"{frontend.read('clock.js')};console.log(JSON.stringify({SECONDS}.map((s) => clock(s))))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [clock(seconds) for seconds in SECONDS]
    assert (clock(29.99), clock(144.5)) == ("0:30", "2:25")


def test_there_is_one_way_to_write_a_time() -> None:
    own = [path.name for path in frontend.FOLDER.glob("*.js") if "/ 60)}:" in path.read_text("utf-8")]
    assert own == ["clock.js"]
