"""Tests of what a small server leaves out: limits are found, and a clip is answered without VGG16."""

from __future__ import annotations

import os

import pytest

from soundalike import paths, representations, system
from soundalike.errors import ModelError
from soundalike.index import index
from soundalike.models import ModelStore
from soundalike.playlist import query


@pytest.fixture(scope="module")
def opened():
    return index.load(paths.BUNDLED_INDEX)


@pytest.fixture(scope="module")
def light():
    return ModelStore(light=True)


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """The two files that may hold a control group's limit, neither there yet."""
    files = tmp_path / "memory.max", tmp_path / "limit_in_bytes"
    monkeypatch.setattr(system, "_CGROUPS", files)
    monkeypatch.delenv(system.SMALL_HOST_VARIABLE, raising=False)
    return files


def test_without_a_group_it_is_the_machine_s(cgroups):
    assert system.memory_limit() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cgroups[0].write_text("max\n")
    assert system.memory_limit() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("version", [0, 1])
def test_a_group_s_limit(cgroups, version):
    cgroups[version].write_text("1073741824\n")
    assert system.memory_limit() == 2**30
    assert system.is_small_host()


def test_the_least_of_several_counts(cgroups):
    cgroups[0].write_text("2000000000\n")
    cgroups[1].write_text("1000000000\n")
    assert system.memory_limit() == 1_000_000_000


@pytest.mark.parametrize(("wanted", "small"), [("1", True), ("0", False)])
def test_the_variable_decides(cgroups, monkeypatch, wanted, small):
    cgroups[0].write_text("1000000000\n" if wanted == "0" else "64000000000\n")
    monkeypatch.setenv(system.SMALL_HOST_VARIABLE, wanted)
    assert system.is_small_host() is small


@pytest.mark.sweep
def test_a_clip_is_answered_without_vgg16(opened, light, models, library_clip, encode_part):
    asked = query.from_audio(encode_part, opened, light)
    assert "vgg16" not in light._loaded
    assert asked.genres == {}
    assert any("too little memory to predict" in note for note in asked.notes)
    whole = query.from_audio(encode_part, opened, models)
    for part in representations.get("soundalike").parts:
        assert (asked.embeddings[part] == whole.embeddings[part]).all()
    assert "vgg_mel" not in asked.embeddings
    with pytest.raises(ModelError, match=r"too little memory .*\. Please compare by Best match\.$"):
        asked.embeddings["vgg_mel"]


def test_a_copy_is_known_without_vgg16(opened, light, library_clip):
    asked = query.from_audio(library_clip, opened, light)
    assert asked.row == opened.row("0001")
    assert asked.genres == opened.genre_probabilities(asked.row)


@pytest.fixture(scope="module")
def encode_part(encode):
    """Noise that is nobody's."""
    import numpy as np

    return encode(np.random.default_rng(4).normal(0, 0.1, 6 * 48_000))
