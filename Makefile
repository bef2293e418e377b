# Each goal makes its own virtual environment from the lock file. On Windows see README.md, "Windows".
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

FUZZ := fuzz/.venv
FUZZED := $(addprefix fuzz-,keybag mbdb plist row \
	attributed-string keyed-archive protobuf summary handwriting digital-touch balloon \
	sqlite-pages)
RUNS ?= 10000000

.PHONY: demo test slow lint bench fuzz $(FUZZED) samples clean

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

$(FUZZ)/ready: requirements.lock fuzz/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(FUZZ)
	$(FUZZ)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock -r fuzz/requirements.txt
	$(FUZZ)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(FUZZ)/ready

# Linux on x86-64. `make fuzz RUNS=100000` for a look; `make -j2 fuzz` for two targets at a time.
fuzz: $(FUZZED)

$(FUZZED): fuzz-%: $(FUZZ)/ready
	$(FUZZ)/bin/python fuzz/run.py $* $(RUNS)

samples: $(READY)
	$(BIN)/python -m bagtag.sample_backups.make tests/samples

clean:
	rm -rf $(VENV) $(FUZZ) .wheel-venv build dist demo *.egg-info
