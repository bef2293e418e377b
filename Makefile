# Each goal makes its own virtual environment from the lock file. On Windows see README.md, "Windows".
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: demo test slow lint bench samples clean

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)

demo: $(READY)
	$(BIN)/bagtag demo demo

test: $(READY)
	$(BIN)/python -m pytest -n auto

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases tests
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python benchmarks/run.py

samples: $(READY)
	$(BIN)/python -m bagtag.sample_backups.make tests/samples

clean:
	rm -rf $(VENV) .wheel-venv build dist demo *.egg-info
