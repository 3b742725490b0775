# Each verb does its own set-up. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The system's own Python where it is new enough: it is mended with the system, and built with profile and link-time
# optimization, which many others are not (a quarter of the CPU; docs/decisions/0069).
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
export PYTHON
VENV := .venv
RUN := PYTHONPATH=src $(VENV)/bin/python
export SYSTEM ?= 1

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/base.ready ## raise a small country, start everything, print one address and the people in it
	@bash scripts/system.sh fonts
	@$(RUN) -m smartgov.cli demo $(ARGS)

test: dev ## every test: units, blocks, architecture, journeys in a browser; on SQLite, then on PostgreSQL
	@bash scripts/system.sh fonts pdf strace hsm browser postgres
	@bash scripts/test.sh

check: dev ## the inner loop: lint, types, contracts and the fast tests
	@bash scripts/system.sh fonts pdf
	@$(MAKE) --no-print-directory lint
	@bash scripts/test.sh fast

analysis: $(VENV)/base.ready ## install what analysis needs (population as Parquet, sweeps, de-identification)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/analysis.txt

lint: dev ## style, types and the contracts between the parts
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@PYTHONPATH=src $(VENV)/bin/lint-imports --no-cache
	@PYTHONPATH=src SMARTGOV_HOME=$$(mktemp -d) $(VENV)/bin/mypy

bench: dev ## print the figures that we claim, with the machine they were taken on
	@bash scripts/system.sh fonts nginx
	@$(RUN) -m bench

test-peers: dev ## suites that others wrote, from SMARTGOV_PEERS; absent ones print NOT RUN
	@$(RUN) -m pytest tests/peers

contracts: dev ## write down what our blocks promise on T-Road (content/tw/contracts), from their operations
	@SMARTGOV_HOME=$$(mktemp -d) DJANGO_SETTINGS_MODULE=smartgov.site.settings $(RUN) -m django write_contracts

examples: dev ## record what our operations were asked and said while their tests ran, for the OpenAPI documents
	@$(RUN) -m pytest -q -p no:randomly -p tests.recording src/smartgov/blocks/{exchange,cases,services,credentials,signing}/tests tests/architecture/test_foreign_objects.py
	@$(RUN) scripts/local_door_examples.py
	@$(MAKE) --no-print-directory contracts

screenshots: dev ## pictures of the main pages, for the README and the manuals
	@bash scripts/system.sh fonts browser
	@$(RUN) scripts/screenshots.py

doctor: $(VENV)/base.ready ## say what is missing on this machine, and how to mend it
	@$(RUN) -m smartgov.cli doctor

lock: dev ## compile requirements/*.in to pinned and hashed lock files
	@bash scripts/lock.sh

clean: ## remove the virtual environment and the demo country
	rm -rf $(VENV) var

dev: $(VENV)/dev.ready

$(VENV)/bin/python:
	@bash scripts/system.sh venv
	@$(PYTHON) -m venv $(VENV)

# The command `smartgov`, from this checkout.
$(VENV)/bin/smartgov: | $(VENV)/bin/python
	@printf '#!/bin/sh\nPYTHONPATH=%s exec %s -m smartgov.cli "$$@"\n' "$(CURDIR)/src" "$(CURDIR)/$(VENV)/bin/python" > $@
	@chmod +x $@

$(VENV)/base.ready: requirements/base.txt | $(VENV)/bin/smartgov
	@echo "Installing what the platform needs (pinned, checked by hash) ..."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/dev.ready: requirements/dev.txt | $(VENV)/bin/smartgov
	@echo "Installing what the platform and its tests need (pinned, checked by hash) ..."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $(VENV)/base.ready $@

.PHONY: help demo test check analysis lint bench test-peers contracts examples screenshots doctor lock clean dev
