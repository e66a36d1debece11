# Two commands: `make repro` runs the pipeline, `make test` runs the tests. Both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
# For DVC's stages. Recipes name the folder: make 3.81, which macOS has, looks for their programs in the PATH of its caller.
export PATH := $(abspath $(VENV))/bin:$(PATH)
ON_ALL_CORES = -n auto --dist loadfile --no-loadscope-reorder

.PHONY: repro test test-thorough test-slow lint clean

repro: $(VENV)/installed
	$(VENV)/bin/dvc repro

test: $(VENV)/installed-dev
	$(VENV)/bin/pytest $(ON_ALL_CORES)

test-thorough: $(VENV)/installed-dev
	$(VENV)/bin/pytest $(ON_ALL_CORES) -m thorough

test-slow: $(VENV)/installed-dev
	$(VENV)/bin/pytest -m slow

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[pipeline]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
