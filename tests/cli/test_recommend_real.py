"""`soundalike recommend` on realistic clips, with the bundled index."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.clip import SAMPLE_RATE
from soundalike.cli import main
from soundalike.models import ModelStore

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ROOT / "assets" / "library" / "clips"
REFERENCE = ROOT.parent / "shared" / "seed_reference" / "fma_clips"
REFERENCE_IDS = [f"{n:06}" for n in (2, 5, 182, 255, 256, 368, 459, 574, 676, 690)]


@pytest.fixture
def loaded_models(models: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares a command the loading of networks that this process has in memory."""

    def store(genre_head: Path | None = None, factors: Path | None = None) -> ModelStore:
        assert genre_head is None
        assert factors is None
        return models

    monkeypatch.setattr("soundalike.models.ModelStore", store)


def encode(samples: np.ndarray, container: str, codec: str, rate: int) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        resampler = av.AudioResampler(stream.format.name, "mono", rate, stream.frame_size)
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return target.getvalue()


def recommend(capsys: pytest.CaptureFixture[str], path: Path) -> dict:
    with pytest.raises(SystemExit) as stopped:
        main.main(["recommend", str(path), "--json"])
    assert stopped.value.code == 0
    return json.loads(capsys.readouterr().out)


def check(document: dict) -> None:
    results = document["results"]
    assert [result["rank"] for result in results] == list(range(1, 11))
    assert len({result["track_id"] for result in results}) == 10
    similarities = [result["similarity"] for result in results]
    assert similarities == sorted(similarities, reverse=True)
    assert all(Path(result["file"]).is_file() for result in results)
    assert sum(document["query"]["genres"].values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.reference
@pytest.mark.usefixtures("loaded_models")
@pytest.mark.parametrize(
    "track", [REFERENCE_IDS[0], *(pytest.param(i, marks=pytest.mark.sweep) for i in REFERENCE_IDS[1:])]
)
def test_reference_clips(capsys: pytest.CaptureFixture[str], track: str) -> None:
    if not REFERENCE.is_dir():
        pytest.skip("needs ../shared, which CI has")
    document = recommend(capsys, REFERENCE / f"{track}.mp3")
    check(document)
    assert document["query"]["in_library"] is None


@pytest.mark.usefixtures("loaded_models")
@pytest.mark.sweep
def test_a_five_minute_m4a(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clips = sorted(CLIPS.iterdir())[:10]
    samples = np.concatenate([decoding.decode(clip).samples for clip in clips])
    path = tmp_path / "five minutes.m4a"
    path.write_bytes(encode(samples, "mp4", "aac", 44_100))
    document = recommend(capsys, path)
    check(document)
    assert document["query"]["duration"] == pytest.approx(300, abs=1)
    assert any("loudest 30 seconds" in note for note in document["notes"])


@pytest.mark.usefixtures("loaded_models")
@pytest.mark.sweep
def test_a_webm_recording(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    samples = decoding.decode(CLIPS / "0003.opus").samples[5 * SAMPLE_RATE : 14 * SAMPLE_RATE]
    path = tmp_path / "recording.webm"
    path.write_bytes(encode(samples, "webm", "libopus", 48_000))
    document = recommend(capsys, path)
    check(document)
    assert any("looped it to 30 s" in note for note in document["notes"])


@pytest.mark.usefixtures("loaded_models")
def test_library_clip_is_named_and_excluded(capsys: pytest.CaptureFixture[str]) -> None:
    document = recommend(capsys, CLIPS / "0003.opus")
    check(document)
    assert document["query"]["in_library"] == "0003"
    assert "0003" not in [result["track_id"] for result in document["results"]]
