"""Which tests stay together when several processes share a run, and which are begun with."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

APART = (
    "test_killed_at_random_moments",
    "test_an_index_does_not_depend_on_workers_or_processors",
    "test_everything_is_taken_alike_under_either_limit",
)
"""Tests that take long by themselves and share nothing with the others of their file."""
BROWSERS = (("about", "accessibility", "anatomy", "features", "map", "origins"), ())
"""Files of the browser's tests by the server and the browser that they share; the last has the rest."""
LONGEST_FIRST = (
    *("e2e/test_anatomy.py", "e2e/test_compare.py", "e2e/", *APART, "test_resume.py", "test_threads.py"),
    *("cli/test_recommend_real.py", "evaluation/test_reference.py", "training/", "test_fma_pipeline.py"),
    *("system/", "test_workers.py", "models/", "cli/", "representations/", "projection/", "pages/"),
    *("service/", "ui/", "playlist/", "indexing/", "audio/"),
)
"""What takes long comes first, so that none of it is left for one process at the end."""


def turn(nodeid: str) -> int:
    """A test's place among `LONGEST_FIRST`."""
    return next((i for i, part in enumerate(LONGEST_FIRST) if part in nodeid), len(LONGEST_FIRST))


class Schedule(LoadScopeScheduling):
    """Gives each process a file at a time, but the browser's to as many as there shall be servers."""

    def __init__(self, config: Any, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        path, _, test = nodeid.partition("::")
        if "e2e/" in path:
            name = path.rpartition("/test_")[2].removesuffix(".py")
            found = next((i for i, names in enumerate(BROWSERS) if name in names), len(BROWSERS) - 1)
            return f"browser {found}"
        return f"{path} {test}" if test.partition("[")[0] in APART else path
