# Rollcall: `make run` starts it, `make test` tests it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test install lint bench load screenshots translations clean

run: $(VENV)/.installed
	@exec $(BIN)/rollcall up

# Whole systems wait more than they work, but one whose parts are killed wants the machine for itself.
test: lint
	@$(BIN)/python -m pytest -q -n auto --dist loadfile tests/unit tests/contract tests/api tests/ui
	@$(BIN)/python -m pytest -q tests/cluster
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/e2e

lint: $(VENV)/.installed-tests
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .

bench: $(VENV)/.installed-tests
	@$(BIN)/python -m bench.engine && $(BIN)/python -m bench.store

# Two minutes of load on the Rollcall that `make run` started here; `make load ARGS="--shape ramp"`.
load: $(VENV)/.installed-tests
	@$(BIN)/python -m bench.load $(ARGS)

# Pictures of every page, of a Rollcall of its own with invented people, into docs/screenshots.
screenshots: $(VENV)/.installed-tests
	@$(BIN)/python -m scripts.screenshots $(ARGS)

# Collects the texts of all pages, and says what is to be translated. docs/translations.md says more.
translations: $(VENV)/.installed
	@$(BIN)/python -m scripts.translations

install: $(VENV)/.installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Rollcall needs Python 3.11 or newer. Name one with: make PYTHON=python3.12"; exit 1; }
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python cannot create a virtual environment. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing packages (the first time takes a minute or two)"
	@$(PIP) install --quiet --progress-bar on -r requirements.txt -c constraints.txt
	@$(PIP) install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-tests: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) install --quiet -r requirements-dev.txt -c constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache
