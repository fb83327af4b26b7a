# The one vocabulary, for people and for continuous integration. `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait for each other's processes more than they compute.
TESTERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.DEFAULT_GOAL := help
.PHONY: help demo demo-fleet test lint types unit site golden format bench compare docs browser autobahn clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Generate the chat, serve it, and let two clients talk
	@$(BIN)/python examples/demo.py

demo-fleet: $(READY) ## Three nodes of the chat on one Redis, one of which is killed
	@$(BIN)/python -m examples.demo_fleet

test: lint types unit ## Everything that continuous integration checks

lint: $(READY) ## Style, and whether generated/ and docs/ are current
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sockspec generate --check
	@$(BIN)/python -m tests.reference --check

types: $(READY) ## mypy and pyright, both strict, side by side
	@$(BIN)/mypy & mypy=$$!; $(BIN)/pyright; pyright=$$?; wait $$mypy && exit $$pyright

unit: $(READY) ## The tests, in twice as many processes as there are cores
	@$(BIN)/python -m pytest -q --numprocesses $(TESTERS) --dist worksteal

site: $(READY) ## The project's own pages as a site, into .site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

golden: $(READY) ## Write generated/ and the made parts of docs/ anew
	@$(BIN)/sockspec generate
	@$(BIN)/python -m tests.reference

format: $(READY) ## Format and sort what tools can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

browser: ## Debian's Chromium, for the tests of pages; needs root where it is not there yet
	@test -x /usr/bin/chromium || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

bench: $(READY) ## Figures, each beside what it is measured against
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@PYTHONPATH=generated $(BIN)/python -m benchmarks

compare: $(READY) ## What ours finds of planted faults; with ALL=1, others from npm too
	@$(BIN)/python -m tests.comparing $(if $(ALL),,ours)

autobahn: $(READY) ## Autobahn|Testsuite; AUTOBAHN=SCRIPT says what sets it up and runs it
	@test -f "$(AUTOBAHN)" || { echo "say with AUTOBAHN=… which script runs the suite; see tests/autobahn.py"; exit 2; }
	@PYTHONPATH=generated $(BIN)/python -m tests.autobahn $(AUTOBAHN) .autobahn

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .autobahn .site dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Rewritten when pyproject.toml changes. Groups of dependencies need pip 25.1.
$(READY): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@
