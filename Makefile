# The user's two commands are `make demo` and `make test`. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
JOBS ?= 2

.PHONY: demo test check site clean

demo: $(VENV)/.run
	$(BIN)/python -m embersort.cli demo -o demo --overwrite

test: check
	$(BIN)/python -m pytest -n $(JOBS)

# The website of the development suite's committed results; what lies on this machine only is left out.
site: $(VENV)/.dev
	$(BIN)/python -m embersort.cli bench site benchmarks/results/dev -o site --no-details --overwrite

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks *.md

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Embersort needs Python 3.11 or newer: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)

# Pinned, and without PyTorch: sorting does not need it.
$(VENV)/.run: $(BIN)/python pyproject.toml requirements/run.txt
	$(PIP) -r requirements/run.txt -e .
	touch $@

# Where PyTorch has no wheel, the tests that need it are skipped.
$(VENV)/.dev: $(VENV)/.run requirements/dev.txt requirements/torch.txt
	$(PIP) -r requirements/run.txt -r requirements/dev.txt
	$(PIP) -r requirements/torch.txt || echo "PyTorch is not installed: its tests are skipped"
	touch $@

clean:
	rm -rf $(VENV) demo build dist
