"""Tests of what the anatomy component is sent, read back as its script reads it."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

from soundalike import anatomy, image, panels, paths
from soundalike.anatomy import Anatomy, Facts
from soundalike.descriptors import Key, Tempo
from soundalike.ui import anatomy_component, anatomy_facts, components
from soundalike.ui.components import Track

KINDS = {"u1": np.uint8, "u2": np.uint16, "i2": np.int16}
CLIP = paths.LIBRARY / "clips" / "0102.opus"
TRACK = Track("0102", "Meditation – “é”", "Artist", "", "Folk", "CC0-1.0", "/media/x.opus")


@pytest.fixture(scope="module")
def shown() -> Anatomy:
    return anatomy.analyse(CLIP)


def unpack(data: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(data[:4], "little")
    assert length % 4 == 0
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def array(body: bytes, described: dict) -> np.ndarray:
    assert described["at"] % 4 == 0
    return np.frombuffer(body, KINDS[described["kind"]], described["count"], described["at"])


def matrix(body: bytes, described: dict) -> np.ndarray:
    data = described["data"]
    assert data["at"] % 4 == 0
    steps = np.frombuffer(zlib.decompress(body[data["at"] :][: data["bytes"]]), KINDS[data["kind"]])
    assert steps.size == data["count"]
    values = [[0] * (described["columns"] + 1)]
    for row in steps.reshape(described["rows"], described["columns"]).tolist():
        values.append([0])
        for column, step in enumerate(row, 1):
            before, below, between = values[-1][-1], values[-2][column], values[-2][column - 1]
            foretold = sorted((before, below, before + below - between))[1]
            values[-1].append((step + foretold) % (np.iinfo(steps.dtype).max + 1))
    return np.array(values)[1:, 1:]


def test_what_is_packed_can_be_unpacked(shown: Anatomy) -> None:
    header, body = unpack(anatomy_component.pack(TRACK, shown, []))
    assert header["title"] == TRACK.title
    assert header["byline"] == "Artist · Folk"
    assert [panel["name"] for panel in header["panels"]] == list(panels.MAIN)
    for described in header["panels"]:
        values = matrix(body, described)
        np.testing.assert_array_equal(values, shown.panels[described["name"]].values)
        assert len(described["names"]) == described["rows"]
        assert described["caption"].strip()
        assert described["summary"]
    wave = header["wave"]
    np.testing.assert_array_equal(array(body, wave["data"]), shown.envelope.ravel())
    np.testing.assert_array_equal(array(body, wave["rms"]), shown.rms)
    np.testing.assert_array_equal(array(body, header["maps"]["magma"]), image.MAGMA.ravel())


def test_a_first_view_is_small_and_all_front_ends_fit_too(shown: Anatomy) -> None:
    picture = components.picture_url(shown.vgg_png)
    assert len(anatomy_component.pack(TRACK, shown, [])) + len(picture) < 500_000
    others = [anatomy.front_end(CLIP, name) for name in panels.FRONT_ENDS]
    data = anatomy_component.pack(TRACK, shown, others)
    assert len(data) < 750_000
    names = [panel["name"] for panel in unpack(data)[0]["panels"]]
    assert names[:4] == ["mel", *panels.FRONT_ENDS]


def test_the_same_is_known_as_the_same_and_another_as_another(shown: Anatomy) -> None:
    bark = anatomy.front_end(CLIP, "bark")
    ids = [unpack(anatomy_component.pack(TRACK, shown, others))[0]["id"] for others in ([], [], [bark])]
    assert ids[0] == ids[1] != ids[2]


def test_every_panel_has_a_caption() -> None:
    assert set(anatomy_component.CAPTIONS) == {*panels.MAIN, *anatomy_component.FURTHER}


def test_the_diverging_colours_are_pale_in_the_middle_and_apart_at_the_ends() -> None:
    colours = anatomy_component.diverging().astype(int)
    assert colours.shape == (256, 3)
    lightness = colours.sum(axis=1)
    assert abs(int(lightness.argmax()) - 127) < 30
    assert colours[0, 2] > colours[0, 0]
    assert colours[-1, 0] > colours[-1, 2]


def test_facts_say_how_far_to_trust_them() -> None:
    sure = Facts(Tempo(120.4, 0.8), Key("A minor", 0.9, "C major", 0.7), -14.26, True, 1_234.5)
    said = {fact.label: fact for fact in anatomy_facts.facts(sure)}
    assert [fact.value for fact in said.values()] == ["120 BPM", "A minor", "−14.3 LUFS", "1,234 Hz"]
    assert "steady" in said["Tempo"].meaning
    assert "clear choice" in said["Key"].meaning
    assert "both channels" in said["Loudness"].meaning
    unsure = Facts(Tempo(120.4, 0.05), Key("A minor", 0.6, "C major", 0.59), -14.26, False, 1_234.5)
    said = {fact.label: fact for fact in anatomy_facts.facts(unsure)}
    assert "a guess" in said["Tempo"].meaning
    assert "nearly as well" in said["Key"].meaning
    assert "as one channel" in said["Loudness"].meaning


def test_facts_that_cannot_be_had_say_so() -> None:
    said = {fact.label: fact for fact in anatomy_facts.facts(Facts(None, None, None, False, 500.0))}
    assert said["Tempo"].value == said["Key"].value == "None"
    assert said["Loudness"].value == "Below −70 LUFS"
    weak = Facts(None, Key("D minor", 0.25, "C minor", 0.2), None, False, 500.0)
    assert anatomy_facts.facts(weak)[1].value == "Unclear"
