"""Tests of what the anatomy component is sent, read back as its script reads it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_library import write_tone

from soundalike import paths
from soundalike.analysis import clip_analysis, panels, taggram
from soundalike.analysis.clip_analysis import Anatomy, Facts, Shown
from soundalike.analysis.panels import Panel
from soundalike.audio import decoding
from soundalike.features import spectrogram_image
from soundalike.features.descriptors import Key, Tempo
from soundalike.models import ModelStore
from soundalike.ui.anatomy import component, facts
from soundalike.ui.components import Track

KINDS = {"u1": np.uint8, "u2": np.uint16, "i2": np.int16}
CLIP = paths.LIBRARY / "clips" / "0102.opus"
TRACK = Track("0102", "Meditation – “é”", "Artist", "", "Folk", "CC0-1.0", "/media/x.opus")


@pytest.fixture(scope="module")
def shown() -> Anatomy:
    return clip_analysis.analyse(CLIP)


def heard(path: Path) -> Shown:
    return clip_analysis.part_shown(*decoding.decode_stereo(path))


def pack(shown: Anatomy, others: Sequence[Panel] = (), track: Track = TRACK) -> dict[str, bytes]:
    return component.pack(track, shown, others, "plots")


def unpack(data: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(data[:4], "little")
    assert length % 4 == 0
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def array(data: bytes, name: str) -> np.ndarray:
    header, body = unpack(data)
    described = header["arrays"][name]
    assert described["at"] % 4 == 0
    return np.frombuffer(body, KINDS[described["kind"]], described["count"], described["at"])


def inflated(data: bytes, name: str) -> np.ndarray:
    header, body = unpack(data)
    described = header["arrays"][name]
    packed = body[described["at"] :][: described["size"]]
    values = np.frombuffer(zlib.decompress(packed), KINDS[described["kind"]])
    assert values.size == described["count"]
    return values.copy()


def round_half_up(above: int, below: int) -> int:
    return (2 * above + below) // (2 * below)


def matrix(data: bytes) -> np.ndarray:
    described, steps = unpack(data)[0], inflated(data, "values")
    values = [[0] * (described["columns"] + 1)]
    for row in steps.reshape(described["rows"], described["columns"]).tolist():
        values.append([0])
        for column, step in enumerate(row, 1):
            before, below, between = values[-1][-1], values[-2][column], values[-2][column - 1]
            foretold = sorted((before, below, before + below - between))[1]
            values[-1].append((step + foretold) % (np.iinfo(steps.dtype).max + 1))
    return np.array(values)[1:, 1:]


def test_what_is_packed_can_be_unpacked(shown: Anatomy) -> None:
    parts = pack(shown)
    sheet = unpack(parts["sheet"])[0]
    assert sheet["title"] == TRACK.title
    assert sheet["byline"] == "Artist · Folk"
    assert [name for name, _ in sheet["panels"]] == list(panels.MAIN)
    for name, identity in sheet["panels"]:
        described = unpack(parts[name])[0]
        assert (described["name"], described["id"], described["key"]) == (name, identity, "plots")
        np.testing.assert_array_equal(matrix(parts[name]), shown.panels[name].values)
        assert len(described["names"]) == described["rows"]
        assert described["caption"].strip()
        assert described["summary"]
    np.testing.assert_array_equal(array(parts["sheet"], "envelope"), shown.envelope.ravel())
    np.testing.assert_array_equal(array(parts["sheet"], "rms"), shown.rms)
    np.testing.assert_array_equal(array(parts["sheet"], "magma"), spectrogram_image.MAGMA.ravel())


def test_noise_and_extremes_survive_packing(shown: Anatomy) -> None:
    random = np.random.default_rng(0)
    for kind, largest in ((np.uint8, 255), (np.uint16, 65_535)):
        values = random.choice(np.array([0, 1, largest // 2, largest], kind), (20, 50))
        panel = replace(shown.panels["mfcc"], values=values, largest=largest)
        parts = pack(replace(shown, panels={"mfcc": panel}))
        np.testing.assert_array_equal(matrix(parts["mfcc"]), values)


def test_a_further_panel_leaves_the_others_as_they_were_and_stands_in_its_place(shown: Anatomy) -> None:
    others = [clip_analysis.front_end(heard(CLIP), name) for name in panels.FRONT_ENDS]
    others.append(clip_analysis.reconstruction(heard(CLIP), ModelStore()))
    plain, more = pack(shown), pack(shown, others)
    assert all(more[name] == plain[name] for name in panels.MAIN)
    names = [name for name, _ in unpack(more["sheet"])[0]["panels"]]
    assert names[:4] == ["mel", *panels.FRONT_ENDS]
    assert names[4:7] == ["mfcc", "mfcc_standardised", "autoencoder"]
    assert names == list(more)[1:]


@pytest.mark.parametrize("seconds", [30, 10])
def test_the_picture_can_be_drawn_from_the_mel_panel_and_what_is_sent(tmp_path, seconds) -> None:
    path = CLIP if seconds == 30 else write_tone(tmp_path / "tone.wav", "pcm_s16le", seconds=seconds)
    shown = clip_analysis.analyse(path)
    data = component.pack_picture(TRACK, shown, "plots")
    header, mel = unpack(data)[0], shown.panels["mel"].values.astype(int)
    assert header["of"] == unpack(pack(shown)["mel"])[0]["id"]
    levels = inflated(data, "differences").reshape(216, 640)
    for x in range(640):
        edges = (round_half_up(at * header["frames"], 640) for at in (x, x + 1))
        frames = [mel[:, frame % mel.shape[1]] for frame in range(*edges)]
        mean = 256 * np.sum(frames, axis=0) // (len(frames) * 160)
        levels[:, x] += np.minimum(mean, 255).astype(np.uint8)
    np.testing.assert_array_equal(levels, shown.vgg_levels)


def test_all_that_a_change_of_tracks_sends_is_small(shown: Anatomy) -> None:
    others = [clip_analysis.front_end(heard(CLIP), name) for name in panels.FRONT_ENDS]
    others.append(clip_analysis.reconstruction(heard(CLIP), ModelStore()))
    picture = len(component.pack_picture(TRACK, shown, "plots"))
    assert picture < 30_000
    assert sum(map(len, pack(shown, others).values())) + picture < 450_000


def test_the_same_is_known_as_the_same_and_another_as_another(shown: Anatomy) -> None:
    bark = clip_analysis.front_end(heard(CLIP), "bark")
    ids = [unpack(pack(shown, others)["sheet"])[0]["id"] for others in ([], [], [bark])]
    assert ids[0] == ids[1] != ids[2]
    other = replace(shown.panels["mel"], summary="Another.")
    changed = pack(replace(shown, panels=shown.panels | {"mel": other}))
    assert unpack(changed["sheet"])[0]["id"] != ids[0]


def test_every_panel_has_a_caption() -> None:
    assert set(component.CAPTIONS) == {*panels.MAIN, *component.FURTHER, taggram.NAME}


def test_the_diverging_colours_are_pale_in_the_middle_and_apart_at_the_ends() -> None:
    colours = component.diverging().astype(int)
    assert colours.shape == (256, 3)
    lightness = colours.sum(axis=1)
    assert abs(int(lightness.argmax()) - 127) < 30
    assert colours[0, 2] > colours[0, 0]
    assert colours[-1, 0] > colours[-1, 2]


def test_facts_say_how_far_to_trust_them() -> None:
    sure = Facts(Tempo(120.4, 0.8), Key("A minor", 0.9, "C major", 0.7), -14.26, True, 1_234.5)
    said = {fact.label: fact for fact in facts.facts(sure)}
    assert [fact.value for fact in said.values()] == ["120 BPM", "A minor", "−14.3 LUFS", "1,234 Hz"]
    assert "steady" in said["Tempo"].meaning
    assert "clear choice" in said["Key"].meaning
    assert "both channels" in said["Loudness"].meaning
    unsure = Facts(Tempo(120.4, 0.05), Key("A minor", 0.6, "C major", 0.59), -14.26, False, 1_234.5)
    said = {fact.label: fact for fact in facts.facts(unsure)}
    assert "a guess" in said["Tempo"].meaning
    assert "nearly as well" in said["Key"].meaning
    assert "as one channel" in said["Loudness"].meaning


def test_facts_that_cannot_be_had_say_so() -> None:
    said = {fact.label: fact for fact in facts.facts(Facts(None, None, None, False, 500.0))}
    assert said["Tempo"].value == said["Key"].value == "None"
    assert said["Loudness"].value == "Below −70 LUFS"
    weak = Facts(None, Key("D minor", 0.25, "C minor", 0.2), None, False, 500.0)
    assert facts.facts(weak)[1].value == "Unclear"
