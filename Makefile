# Every target sets up what it needs: Python 3.11+ is all that must be there.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Bytecode is cached even where the machine is told not to: compiling the CDK's modules takes a second each time.
RUN := env -u PYTHONDONTWRITEBYTECODE PATH="$(CURDIR)/.venv/bin:$$PATH"

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-local check synth bench clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

setup:  ## Environment, CDK command, Node: everything the other targets need
	@test -n "$(PYTHON)" || { echo "set-up: no Python 3.11 or newer on PATH: install one"; exit 1; }
	@$(PYTHON) tools/setup.py

demo: setup  ## The whole path on the embedded AWS, from deployment to prediction; JOB=curve, or any other job
	@$(RUN) atelier demo $(if $(JOB),--job $(JOB)) $(if $(TEAM),--team $(TEAM))

test: setup  ## The fast tests
	@$(RUN) pytest -n auto --dist loadgroup

test-all: setup  ## All tests, with those that train in the jobs' own environments (builds them: gigabytes)
	@$(RUN) pytest -n auto --dist loadgroup -m ""
	@$(RUN) pytest tests/local -m ""

test-local: setup  ## The whole path, as tests: the CDK command against the embedded AWS (minutes)
	@$(RUN) pytest tests/local

check: setup  ## Lint, format, types, and the generated files
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy
	@$(RUN) python -m localaws.coverage --check

synth: setup  ## Templates of all example teams, into cdk.out
	@$(RUN) npx cdk synth --quiet --output cdk.out

bench: setup  ## The figures of README's table, measured here and now
	@$(RUN) python -m benchmarks

clean:  ## Remove what was built and deployed locally; the environment stays
	rm -rf build cdk.out .localaws
