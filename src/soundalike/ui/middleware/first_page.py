"""Get ready for the first page while its visitor's browser still loads Streamlit's scripts."""

from __future__ import annotations

import inspect
import logging
import threading
from contextlib import suppress
from importlib import import_module

from soundalike.errors import SoundalikeError
from soundalike.ui import idle

MODULES = (
    "soundalike.ui.navigation",
    "soundalike.ui.player",
    "soundalike.ui.present.bar",
    "soundalike.ui.present.tour",
    "soundalike.ui.explanation_dialog",
    "soundalike.ui.figures",
    "soundalike.ui.first_visit",
    "soundalike.ui.moment",
    "soundalike.ui.playlist.far_away",
    "soundalike.ui.playlist.playlist_controls",
    "soundalike.training.report",
)
"""What `app.py` and the first page import; with it come pandas, Plotly and the rest."""
_THREAD, _LOGGER = "first page", "streamlit.runtime.scriptrunner_utils.script_run_context"
_DRAW_NO_PAGE = (_THREAD, idle.THREAD)


def prepare() -> None:
    """Import the first page's modules and open the first library, in the background."""
    # Streamlit warns when its caches are filled by a thread that draws no page.
    logging.getLogger(_LOGGER).addFilter(lambda record: record.threadName not in _DRAW_NO_PAGE)
    threading.Thread(target=_prepare, name=_THREAD, daemon=True).start()


def _prepare() -> None:
    # The page does the same, and says what is wrong.
    with suppress(SoundalikeError, OSError, ImportError):
        _import_and_open()


def _import_and_open() -> None:
    for module in MODULES:
        import_module(module)
    from soundalike import representations
    from soundalike.index import catalog
    from soundalike.playlist import reach
    from soundalike.ui import first_visit, server

    library = catalog.offered()[0]
    index, _ = server._open(str(library.folder.resolve()), catalog.stamp(library.folder))
    first_visit.find(index)
    reach.least_usual(index, representations.default(index.names))
    # Streamlit asks this once, and the first answer takes a tenth of a second for each thousand modules.
    inspect.stack()
