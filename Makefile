# The user's two commands are `make demo` and `make test`. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check install-run install-dev clean

demo: $(VENV)/.run
	$(BIN)/python -m embersort.cli demo -o demo

test: $(VENV)/.dev check
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks *.md

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Embersort needs Python 3.11 or newer')"
	$(PYTHON) -m venv $(VENV)

# Pinned, and without PyTorch: sorting does not need it.
$(VENV)/.run: $(VENV)/bin/python pyproject.toml requirements/run.txt
	$(BIN)/pip install --quiet -r requirements/run.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml requirements/run.txt requirements/dev.txt
	$(BIN)/pip install --quiet -r requirements/torch.txt
	$(BIN)/pip install --quiet -r requirements/run.txt -r requirements/dev.txt -e .
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) demo build dist
