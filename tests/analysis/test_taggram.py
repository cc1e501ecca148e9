"""Words over time."""

from __future__ import annotations

import numpy as np

from soundalike.analysis import taggram
from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.words import over_time, vocabulary
from soundalike.words.strengths import Probabilities


def test_stored_stretches_say_what_the_networks_said(bundled, models, words) -> None:
    for row in (0, 101, 400):
        stretches = over_time.of_track(bundled, row, models)
        assert stretches is not None
        np.testing.assert_allclose(stretches.tags.mean(axis=0), words.tracks.tags[row], atol=0.01)
        # The mean of probabilities is not that of logits.
        ranks = np.corrcoef(stretches.classes.mean(axis=0), words.tracks.classes[row])[0, 1]
        assert ranks > 0.98


def test_a_new_clip_is_as_its_track(bundled, models, library_clip) -> None:
    row = next(r for r in range(len(bundled)) if bundled.fact("file", r).endswith(library_clip.name))
    stored = over_time.of_track(bundled, row, models)
    own = over_time.of_clip(analysis_window(decoding.decode(library_clip)), models)
    assert stored is not None
    np.testing.assert_allclose(own.tags, stored.tags, atol=0.05)


def test_a_word_is_bright_where_it_sounds(words) -> None:
    """Five stretches of one track, then five of another."""
    piano, metal = (
        int(words.scores[:, vocabulary.positions()[name]].argmax()) for name in ("harp", "metal")
    )
    halves = [np.repeat(words.tracks.tags[[row]], 5, axis=0) for row in (piano, metal)]
    classes = [np.repeat(words.tracks.classes[[row]], 5, axis=0) for row in (piano, metal)]
    panel = taggram.panel(words, Probabilities(np.concatenate(halves), np.concatenate(classes)), 1_292)
    assert panel is not None
    for name, half in (("harp", 0), ("metal", 1)):
        row = panel.values[panel.rows.index(name)]
        first, second = row[:640].mean(), row[660:].mean()
        assert (first > second) == (half == 0)
    assert panel.values.shape == (len(panel.rows), 1_292)
    assert len(panel.rows) <= taggram.ROWS


def test_noise_has_no_panel(words) -> None:
    nothing = Probabilities(np.full((10, 50), 0.01, np.float32), np.full((10, 521), 1e-4, np.float32))
    assert taggram.panel(words, nothing, 1_292) is None
