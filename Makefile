# Two commands: `make repro` runs the pipeline, `make test` runs the tests. Both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
export PATH := $(abspath $(VENV))/bin:$(PATH)
ON_ALL_CORES = -n auto --dist loadfile --no-loadscope-reorder

.PHONY: repro test test-thorough test-slow lint clean

repro: $(VENV)/installed
	dvc repro

test: $(VENV)/installed-dev
	pytest $(ON_ALL_CORES)

test-thorough: $(VENV)/installed-dev
	pytest $(ON_ALL_CORES) -m thorough

test-slow: $(VENV)/installed-dev
	pytest -m slow

lint: $(VENV)/installed-dev
	ruff check .
	ruff format --check .
	mypy

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --constraint constraints.txt --editable '.[pipeline]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
