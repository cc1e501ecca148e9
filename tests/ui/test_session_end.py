"""What a session held is given back when it ends."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from soundalike.models import vgg_features
from soundalike.ui import server

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 5


@pytest.mark.sweep
def test_a_clip_and_what_was_made_of_it_go_with_their_session(encode) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, SECONDS * 48_000)
    models = server.open_models()
    # What earlier sessions left goes first.
    collect()
    before = len(models.feature_maps), len(models.tagger_outputs), len(vgg_features._images)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["from"] = "upload"
    app.run()
    app.get("file_uploader")[0].upload("noise.wav", encode(noise), "audio/wav").run()
    # VGG16 runs once the genres are opened.
    app.session_state["recommend_head"] = True
    app.run()
    assert not app.exception, app.exception
    assert not app.error
    clip = weakref.ref(app.session_state["clip_answer"][-1].embeddings.clip)
    assert clip() in models.feature_maps
    assert clip() in models.tagger_outputs
    del app
    collect()
    assert clip() is None
    assert (len(models.feature_maps), len(models.tagger_outputs), len(vgg_features._images)) == before


def collect() -> None:
    """Look at all garbage again, as a server does every half minute."""
    server.collect_all()
