# The user's two commands are `make demo` and `make test`. Needs Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
JOBS ?= 2

.PHONY: demo test check site fuzz torture determinism lowest clean

demo: $(VENV)/.run
	$(BIN)/python -m embersort.cli demo -o demo --overwrite

test: check
	$(BIN)/python -m pytest -n $(JOBS) --durations=25

# The website of the development suite's committed results; what lies on this machine only is left out.
site: $(VENV)/.dev
	$(BIN)/python -m embersort.cli bench site benchmarks/results/dev -o site --no-details --overwrite

# 5,000 broken and odd inputs in place of the 200 of `make test`: about half an hour of two cores.
fuzz: $(VENV)/.dev
	EMBERSORT_FUZZ_CASES=5000 $(BIN)/python -m pytest -n $(JOBS) tests/robustness/test_fuzz.py

# Kills at random instants, and a disk that is full at each write: about ten minutes.
torture: $(VENV)/.dev
	EMBERSORT_TORTURE=50 $(BIN)/python -m pytest tests/robustness/test_torture.py tests/benchmark/test_kill.py

# The table of docs/reproducibility.md, measured on this machine.
determinism: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_determinism.py --write

# The lowest versions that pyproject.toml allows, in an environment of their own.
lowest:
	.ci/lowest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell src tests docs benchmarks *.md
	$(BIN)/python benchmarks/results_page.py --check

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
