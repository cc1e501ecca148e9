# `make demo` opens the app, `make test` checks it in minutes, `make test-all` whatever the long sweeps find too;
# each sets up what it needs.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
QUIET := --quiet --disable-pip-version-check
# Compiled modules are kept even where the environment says otherwise: hundreds of processes share them.
export PYTHONDONTWRITEBYTECODE =
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-package soundalike --group build \
	--custom-compile-command "make lock"
.PHONY: demo fma test test-all check pictures bench bench-all wheel index model lock audit clean

# `make demo MUSIC=fma` opens the app on a sample of FMA, which is fetched and indexed first. FMA has options
# of `soundalike fetch fma-sample`, as in FMA="--tracks 200".
ifneq ($(MUSIC),)
$(if $(filter fma,$(MUSIC)),,$(error MUSIC is fma or nothing; SOUNDALIKE_INDEX names an index of your own))
demo: fma
demo: export SOUNDALIKE_INDEX := fma/index$(if $(SOUNDALIKE_INDEX),:$(SOUNDALIKE_INDEX))
demo: export SOUNDALIKE_MUSIC := $(if $(SOUNDALIKE_MUSIC),fma/sample:$(SOUNDALIKE_MUSIC))
endif

demo: $(VENV)/.app
	@$(BIN)/python -c 'import socket, sys; sys.exit(not socket.socket().connect_ex(("127.0.0.1", $(PORT))) \
		and "Port $(PORT) is taken, perhaps by another demo; choose another one with: make demo PORT=8502")'
	$(BIN)/streamlit run app.py --server.port $(PORT)

# Indexed again only if the sample has changed since, or the last time was broken off.
fma: $(VENV)/.app
	$(BIN)/soundalike fetch fma-sample --dir fma/sample $(FMA)
	[ -e fma/index/manifest.json -a fma/.indexed -nt fma/sample/tracks.csv ] || \
		$(BIN)/soundalike index fma/sample --out fma/index --complete
	touch fma/.indexed

# Three at a time: the browser's tests mostly wait. tests/support/schedule.py says which stay together.
PYTEST = $(BIN)/pytest -n 3

test: $(VENV)/.test check
	$(PYTEST) -m "not sweep"

# With everything that takes long: fuzzing, kills, faults, whole sets of clips and pages.
test-all: $(VENV)/.test check
	$(PYTEST)

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python scripts/lint_javascript.py

# Takes every picture in docs/pictures again from the running app, in about three minutes; needs Chromium.
pictures: $(VENV)/.test
	$(BIN)/python scripts/pictures.py

# Speed and memory: benchmarks/results.json and the table in docs/benchmarks.md. Needs a quiet machine; fails if a
# figure misses its bar.
bench: $(VENV)/.test
	$(BIN)/python benchmarks/bench.py

# The other figures in docs/evaluation.md and docs/benchmarks.md.
bench-all: $(VENV)/.test
	-$(BIN)/python benchmarks/bench.py --all
	$(BIN)/python benchmarks/drawings.py
	$(BIN)/python benchmarks/genre_head.py
	$(BIN)/python benchmarks/duplicates.py
	$(BIN)/python benchmarks/playlists.py
	$(BIN)/python benchmarks/map_page.py
	$(BIN)/python benchmarks/web_vitals.py
	$(BIN)/python benchmarks/moment.py
	$(BIN)/python benchmarks/kills.py
	$(BIN)/python benchmarks/indexing.py rate
	$(BIN)/python benchmarks/indexing.py memory
	$(BIN)/python benchmarks/scale.py --only vgg_mel
	$(BIN)/python benchmarks/service.py

# Settles the exact versions of all that pyproject.toml asks for: those of constraints.txt where they still fit.
# `make lock NEWER=--upgrade` renews them.
lock: $(VENV)/bin/python
	$(BIN)/pip install $(QUIET) uv==0.13.9
	$(LOCK) --no-annotate --all-extras $(NEWER) --output-file constraints.txt pyproject.toml
	$(LOCK) --generate-hashes -c constraints.txt --output-file requirements.lock pyproject.toml
	$(LOCK) --generate-hashes -c constraints.txt --extra dev --output-file requirements-test.lock pyproject.toml

# Known vulnerabilities of what is locked; asks PyPI.
audit: $(VENV)/audit
	$(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

$(VENV)/audit: $(VENV)/bin/python
	$(PYTHON) -m venv $@
	$@/bin/pip install $(QUIET) pip-audit==2.10.1

# The package and the archive of its starter library, in dist/.
wheel: $(VENV)/.app
	$(BIN)/python scripts/starter_archive.py
	$(BIN)/pip wheel $(QUIET) --no-deps --no-build-isolation --wheel-dir dist .

# Makes the shipped models and index again from the shipped library.
model: $(VENV)/.test
	$(BIN)/soundalike train genre-head assets/library --out assets/models/genre_head.npz
	$(BIN)/soundalike train mfcc-autoencoder assets/library --out assets/models/mfcc_autoencoder.npz
	cd assets/models && sha256sum *.npz > SHA256SUMS

index: $(VENV)/.app
	$(BIN)/soundalike index assets/library --out assets/index --representation all --compact --complete
	$(BIN)/python scripts/starter_archive.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Soundalike needs Python 3.11 or later; name one with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/pip install $(QUIET) --require-hashes -r requirements.lock
	$(BIN)/pip install $(QUIET) --no-deps --no-build-isolation -e .
	$(BIN)/python -m soundalike.numba_cache
	touch $@

$(VENV)/.test: $(VENV)/.app requirements-test.lock
	$(BIN)/pip install $(QUIET) --require-hashes -r requirements-test.lock
	touch $@

clean:
	rm -rf $(VENV) dist test-artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
