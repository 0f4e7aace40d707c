# Each command makes .venv first, if need be. Without make: python3 devstack/bootstrap.py up
PYTHON ?= python3
# `exec`: nothing between make and the program that could keep a signal to itself.
BOOTSTRAP := @exec $(PYTHON) devstack/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help up test test-newest check bench lock fmt shell clean

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

up:  ## Run the whole site, with its servers, until Ctrl-C (PORT=8000)
	$(BOOTSTRAP) up

test:  ## Run all tests (ARGS="-k letters -x" goes to pytest)
	$(BOOTSTRAP) test $(ARGS)

test-newest:  ## Run the unit tests on the newest Django, where Python 3.12 is present
	$(BOOTSTRAP) run -m devstack.newest $(ARGS)

check:  ## Run all checks of the code, in under a minute
	$(BOOTSTRAP) check

bench:  ## Measure against a floor and against peers (ARGS=hits: one of them)
	$(BOOTSTRAP) bench $(ARGS)

lock:  ## Compile pyproject.toml into the requirements files
	$(BOOTSTRAP) run -m devstack.locks

fmt:  ## Format the code, and mend what can be mended
	@$(PYTHON) devstack/bootstrap.py run -m ruff check --fix --quiet . && exec .venv/bin/python -m ruff format .

shell:  ## Open a Python shell in the site, beside a running `make up`
	$(BOOTSTRAP) run manage.py shell

clean:  ## Delete .venv and the caches; the data in var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
