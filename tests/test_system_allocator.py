"""Memory that is freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Blocks that are freed one by one while later ones live: an arena would keep their room.
CODE = """
import numpy as np, psutil
from soundalike import system
if not system.return_large_blocks():
    raise SystemExit(3)
memory = psutil.Process().memory_info
blocks = [np.ones(2**18) for _ in range(50)]
held = memory().rss
last = np.ones(2**18)
del blocks
print((held - memory().rss) / 2**20)
"""


def test_large_arrays_are_given_back_when_they_are_freed() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    if done.returncode == 3:
        pytest.skip("this system's C library is another than glibc")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 90
