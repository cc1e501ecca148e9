"""Tests of the inference runtimes: equal outputs, and the choice of a runtime."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from soundalike.audio import decoding
from soundalike.audio.analysis_window import analysis_window
from soundalike.errors import ModelError
from soundalike.features import spectral, spectrogram_image
from soundalike.models import (
    ModelStore,
    autoencoder,
    factor_cnn,
    genre_head,
    graph,
    runtime,
    tagger,
)
from soundalike.representations import musicnn, musicnn_mid, vgg_mel, yamnet

RUNTIMES = ("openvino", "openvino-f32", "tensorflow")


@pytest.fixture(scope="module")
def stores():
    """A store of networks by runtime, each with what it needs already loaded."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in RUNTIMES:
            patch.setenv(runtime.VARIABLE, name)
            made[name] = ModelStore()
            for network in (made[name].vgg16, made[name].tagger, made[name].yamnet):
                assert network is not None
            # These two are made ready at their first call.
            made[name].genre_head(np.zeros((1, *genre_head.INPUT_SHAPE), np.float32))
            made[name].autoencoder(np.zeros((1, *autoencoder.INPUT_SHAPE), np.float32))
    return made


@pytest.fixture(scope="module")
def clip(library_clip):
    return analysis_window(decoding.decode(library_clip))


def close(found, expected) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())


@pytest.mark.sweep
def test_vgg16_in_single_precision(stores, clip):
    picture = spectrogram_image.canvas(spectral.mel_spectrogram(clip))
    close([stores["openvino-f32"].vgg16(picture)], [stores["tensorflow"].vgg16(picture)])


@pytest.mark.parametrize("embed", [item.embed for item in (vgg_mel, musicnn, musicnn_mid, yamnet)])
@pytest.mark.sweep
def test_embeddings_in_the_default_precision(stores, clip, embed):
    ours = embed(clip, stores["openvino"]).astype(np.float64)
    theirs = embed(clip, stores["tensorflow"]).astype(np.float64)
    cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert cosine > 0.999


@pytest.mark.sweep
def test_the_tagger_in_single_precision(stores, clip):
    patches = tagger.patches(tagger.spectrogram(clip))
    found, expected = stores["openvino-f32"].tagger(patches), stores["tensorflow"].tagger(patches)
    close(vars(found).values(), vars(expected).values())


@pytest.mark.parametrize("name", ["openvino", "openvino-f32"])
@pytest.mark.sweep
def test_the_genre_head(stores, clip, name):
    picture = spectrogram_image.canvas(spectral.mel_spectrogram(clip))
    inputs = genre_head.head_input(stores["tensorflow"].vgg16(picture))[np.newaxis]
    for batch in (inputs, np.concatenate([inputs, 2 * inputs, inputs / 2])):
        close(stores[name].genre_head(batch), stores["tensorflow"].genre_head(batch))


@pytest.mark.parametrize("name", ["openvino", "openvino-f32"])
@pytest.mark.sweep
def test_the_autoencoder(stores, clip, name):
    matrix = spectral.standardise(spectral.mfcc(clip))[np.newaxis]
    close(stores[name].autoencoder(matrix), stores["tensorflow"].autoencoder(matrix))


def test_the_factors(monkeypatch):
    rng = np.random.default_rng(5)
    mel = rng.normal(-40, 12, (factor_cnn.BANDS, 400))
    layers = factor_cnn.build(seed=3).get_weights()
    scale = np.full(128, -40, np.float32), np.full(128, 12, np.float32)
    found = {}
    for name in RUNTIMES:
        monkeypatch.setenv(runtime.VARIABLE, name)
        found[name] = factor_cnn.FactorCNN(layers, *scale)(mel)
    close([found["openvino"]], [found["tensorflow"]])
    close([found["openvino-f32"]], [found["tensorflow"]])


@pytest.mark.sweep
def test_another_size_and_back(stores):
    rng = np.random.default_rng(0)
    small, large = (rng.integers(0, 256, size, np.uint8) for size in ((64, 96, 3), (96, 64, 3)))
    network = stores["openvino"].vgg16
    first = network(small)
    assert network(large).shape == (3, 2, 512)
    np.testing.assert_array_equal(network(small), first)


@pytest.mark.sweep
def test_a_result_stays_when_the_next_is_computed(stores):
    network = stores["openvino"].genre_head
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 1, *genre_head.INPUT_SHAPE), np.float32)
    features, _ = network(one)
    kept = features.copy()
    network(other)
    np.testing.assert_array_equal(features, kept)


def test_openvino_where_it_is_installed(monkeypatch):
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    assert runtime.name() == runtime.OPENVINO


@pytest.mark.sweep
def test_tensorflow_where_openvino_is_not():
    code = (
        "import os, sys, numpy as np\n"
        # As where it is not installed.
        "sys.modules['openvino'] = None\n"
        "from soundalike.errors import ModelError\n"
        "from soundalike.models import ModelStore, runtime\n"
        "print(runtime.name(), runtime.precision())\n"
        "print(ModelStore().tagger(np.zeros((1, 187, 96), np.float32)).tags.shape)\n"
        "os.environ[runtime.VARIABLE] = 'openvino'\n"
        "try:\n    runtime.name()\nexcept ModelError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    chosen, shape, refused = done.stdout.splitlines()
    assert chosen == "tensorflow f32"
    assert shape == "(1, 50)"
    assert "does not run here; please install it with `pip install openvino`" in refused


def test_a_runtime_that_does_not_exist(monkeypatch):
    monkeypatch.setenv(runtime.VARIABLE, "abacus")
    with pytest.raises(ModelError, match="is 'abacus'; please set it to one of: auto, openvino,"):
        runtime.name()


@pytest.mark.sweep
def test_no_network_access_and_no_tensorflow():
    code = (
        "import sys, numpy as np\n"
        "called = []\n"
        "watched = ('socket.connect', 'socket.getaddrinfo', 'socket.sendto', 'subprocess.Popen')\n"
        "sys.addaudithook(lambda event, args: called.append(event) if event in watched else None)\n"
        "from soundalike.playlist import query\n"
        "from soundalike.models import ModelStore\n"
        "query.warm_up(ModelStore())\n"
        "print(called, [name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []"
    assert done.stderr == ""


def test_neither_is_installed():
    code = (
        "import sys; sys.modules['openvino'] = sys.modules['tensorflow'] = None\n"
        "from soundalike.models import ModelStore\n"
        "from soundalike.errors import MissingPackageError\n"
        "import numpy as np\n"
        "try: ModelStore().vgg16(np.zeros((1293, 128, 3), np.uint8))\n"
        "except MissingPackageError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "This needs TensorFlow; please run `pip install 'soundalike[train]'`.\n"


def test_inputs_run_one_by_one_give_the_same_as_together(monkeypatch):
    monkeypatch.setenv(runtime.VARIABLE, runtime.OPENVINO_F32)

    def doubled(factor, shape):
        x = graph.parameter(shape)
        return graph.model([graph.ops().multiply(x, graph.number(factor)), graph.mean(x, 1)], x)

    def network(one_by_one):
        return runtime.Network(
            (None, 3),
            lambda: 2.0,
            doubled,
            lambda _: pytest.fail("on TensorFlow"),
            one_by_one=one_by_one,
        )

    batch = np.arange(12, dtype=np.float32).reshape(4, 3)
    for outputs in (network(True)(batch), network(False)(batch)):
        np.testing.assert_array_equal(outputs[0], 2 * batch)
        np.testing.assert_array_equal(outputs[1], [1, 4, 7, 10])


@pytest.mark.sweep
@pytest.mark.skipif(runtime.name() != runtime.OPENVINO, reason="the memory is OpenVINO's")
def test_a_seldom_network_returns_its_memory_after_a_pass_in_the_background():
    code = (
        "import hashlib, psutil, sys, numpy as np\n"
        "from soundalike import system\n"
        "from soundalike.models import ModelStore, runtime\n"
        "system.return_large_blocks()\n"
        "if sys.argv[1] == 'background': runtime.lower_priority()\n"
        "picture = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)\n"
        "network = ModelStore().vgg16\n"
        "found = [hashlib.sha256(network(picture)).hexdigest() for _ in range(3)]\n"
        "assert len(set(found)) == 1\n"
        "print(psutil.Process().memory_info().rss, found[0])"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", code, where], capture_output=True, text=True, check=True
        ).stdout.split()
        for where in ("background", "foreground")
    ]
    (released, one), (kept, other) = done
    assert one == other
    assert int(kept) - int(released) > 40e6
