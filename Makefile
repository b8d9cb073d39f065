# Every target is one line of work. `make` alone lists them.
SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
READY := $(VENV)/.installed
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
COMPILE := $(BIN)/uv pip compile --upgrade --generate-hashes --no-emit-index-url --universal --python-version 3.11 --quiet

.PHONY: help demo up test test-faults test-laws check fmt contracts manifests pictures bench scoreboard doctor lock setup clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Start everything, run one mentoring story through it, show it
	@exec $(BIN)/trustfold demo

up: $(READY) ## Start the whole system and keep it running until Ctrl-C
	@exec $(BIN)/trustfold up

test: $(READY) ## Run the tests on a real broker and a real database
	@exec $(BIN)/python -m pytest -m "not full" -n 2 --dist loadfile

test-faults: $(READY) ## Run the long tests: faults at full size, kills in the middle
	@exec $(BIN)/python -m pytest -s -m full -o faulthandler_timeout=0

test-laws: $(READY) ## Hold the laws of the fold against 100,000 generated histories
	@exec $(BIN)/python -m pytest -q --hypothesis-profile=nightly tests/unit/insights/test_fold_laws.py

check: $(READY) ## Format, lint, types, layers, contracts, the page, manifests, advisories: all but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/trustfold contracts check
	$(BIN)/python -m deploy.local.page --check
	$(BIN)/python -m deploy.k8s.check --rules
	$(BIN)/python -m deploy.local.advisories

fmt: $(READY) ## Format the code and repair what the linter can repair
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/python -m deploy.local.page --format

contracts: $(READY) ## Write the schemas and examples of every fact anew
	@exec $(BIN)/trustfold contracts generate

manifests: $(READY) ## Write the manifests that follow from the code anew
	@exec $(BIN)/python -m deploy.k8s.made

pictures: $(READY) ## Take the pictures of the page anew, in a real browser
	@exec $(BIN)/python -m pytest -q -m full tests/browser/test_pictures.py

bench: $(READY) ## Measure throughput and latency
	@exec $(BIN)/python -m tests.benchmarks

scoreboard: $(READY) ## Score the trust model and its rivals on known truth
	@exec $(BIN)/python -m deploy.local.simulate.scoreboard

doctor: $(READY) ## Say what this machine lacks, and what to do about it
	@exec $(BIN)/python -m deploy.local.doctor

lock: $(READY) ## Choose versions anew and write requirements/*.lock
	$(COMPILE) pyproject.toml -o requirements/base.lock
	$(COMPILE) pyproject.toml --extra local --extra dev -o $(LOCK)
	$(COMPILE) requirements/tools.in -o requirements/tools.lock
	$(BIN)/python -m deploy.local.jars_lock

setup: $(READY) ## Make the virtual environment, and nothing else

$(READY): $(LOCK) requirements/tools.lock pyproject.toml deploy/local/setup.sh
	@deploy/local/setup.sh $(VENV) $(LOCK)

clean: ## Remove the virtual environment and what the tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .run build dist
