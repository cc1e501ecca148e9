# `make demo` opens the app, `make test` checks everything; each sets up what it needs.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
.PHONY: demo test check bench index model clean

demo: $(VENV)/.app
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/.test check
	$(BIN)/pytest

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python benchmarks/drawings.py
	$(BIN)/python benchmarks/genre_head.py
	$(BIN)/python benchmarks/duplicates.py
	$(BIN)/python benchmarks/playlists.py
	$(BIN)/python benchmarks/decoders.py
	$(BIN)/python benchmarks/decoding.py
	$(BIN)/python benchmarks/map_page.py
	$(BIN)/python benchmarks/interactions.py
	$(BIN)/python benchmarks/large_library.py
	$(BIN)/python benchmarks/kills.py
	$(BIN)/python benchmarks/indexing.py rate
	$(BIN)/python benchmarks/indexing.py memory
	$(BIN)/python benchmarks/scale.py
	$(BIN)/python benchmarks/cost_model.py

# Makes the shipped models and index again from the shipped library.
model: $(VENV)/.app
	$(BIN)/soundalike train genre-head assets/library --out assets/models/genre_head.npz
	$(BIN)/soundalike train mfcc-autoencoder assets/library --out assets/models/mfcc_autoencoder.npz
	$(BIN)/python scripts/fit_soundalike.py

index: $(VENV)/.app
	$(BIN)/soundalike index assets/library --out assets/index --representation all --compact --complete

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Soundalike needs Python 3.11 or later; name one with: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.app: $(VENV)/bin/python requirements.txt constraints.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.test: $(VENV)/.app requirements-test.txt requirements-cluster.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	touch $@

clean:
	rm -rf $(VENV) test-artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
