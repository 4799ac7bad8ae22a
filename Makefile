# Two commands do everything: make demo, and make test.

SHELL := /bin/bash
TWIN ?= sandbox
export TWIN

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# The first Python of 3.11 to 3.13 that can make a virtual environment. Those of distributions come first: they are built with profile-guided optimization,
# which version managers leave out, and a task that starts a Python of its own takes a quarter less with them.
PYTHON ?= $(shell for python in /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13 python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench variables requirements mutation soak twin-up twin-down twin-status twin-env rehearse generate docs picture tools lock build clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: $(READY) ## Create the Python environment in .venv

# What pip installs is compiled here, by all processors and without the collections, whose bytecode Ansible never reads: they are two thirds of all files.
# Modules write no bytecode themselves, so that without this each would compile the packages that it imports.
$(READY): requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python of 3.11 to 3.13 with venv was found: install it (Debian: apt-get install python3.11 python3.11-venv), or set PYTHON." >&2; exit 1; }
	@echo "Installing the Python packages of requirements.lock into $(VENV) (one to two minutes) ..." >&2
	@start=$$SECONDS; $(PYTHON) -m venv --clear $(VENV) && $(VENV)/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock \
		&& { $(VENV)/bin/python -m compileall -qq -j 0 -x '/ansible_collections/' $(VENV)/lib || true; } \
		&& echo "Installed the Python packages in $$((SECONDS - start)) s." >&2
	@touch $@

demo: $(READY) ## Install an ambient mesh on a local twin, from nothing
	@$(PY) -m twin demo

test: $(READY) ## Run all checks and tests
	@$(PY) -m tests

soak: $(READY) ## Change a twin at random, and check every verdict of ready meanwhile (MINUTES=30, SEED=number)
	@$(PY) -m tests.soak --minutes $(or $(MINUTES),30) $(addprefix --seed ,$(SEED)) --report tests/output/soak.json

mutation: $(READY) ## Change the rules of two nouns, one place at a time, and count how often the unit tests notice (NOUNS="_waypoint _enrollment")
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check 'mutmut>=3.8,<4'
	@$(PY) -m tests.mutation $(NOUNS)

bench: $(READY) ## Compare the collection with other tools, on a separate twin (half an hour)
	@$(PY) -m benchmarks

variables: $(READY) ## List the variables of all roles with the tests that saw their effect in the last make test
	@$(PY) -m tests.variables

requirements: $(READY) ## List the requirements that the last make test has proved
	@$(PY) -m tests.requirements

twin-up: $(READY) ## Start the twin, or repair it (TWIN=name for another one)
	@$(PY) -m twin up

twin-down: $(READY) ## Stop the twin and remove all of its files
	@$(PY) -m twin down

twin-status: $(READY) ## Show which parts of the twin run and which have died
	@$(PY) -m twin status

twin-env: $(READY) ## Print shell exports that point kubectl, helm, istioctl, AWS tools and Ansible at the twin
	@$(PY) -m twin env

rehearse: $(READY) ## Run an inventory against a local AWS account, and show what it creates (INVENTORY=inventories/prod, ARGUMENTS="--check --diff")
	@$(PY) -m twin rehearse "$(INVENTORY)" -- $(ARGUMENTS)

generate: $(READY) ## Write what follows from the argument specs of the roles: schemas and tables
	@$(PY) -m generate

docs: $(READY) ## Build the documentation as a site: our pages, and the reference of modules, roles and plugins
	@$(PY) docs/docsite/build.py

picture: $(READY) ## Draw the account of make rehearse for the README
	@$(PY) -m twin picture docs/images/rehearsal.svg

tools: $(READY) ## Build the programs of the twin into the cache
	@$(PY) -m twin build

lock: $(READY) ## Resolve requirements.in into requirements.lock
	@$(VENV)/bin/pip install --quiet uv
	@$(VENV)/bin/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.lock

build: $(READY) ## Build the collection's tarball
	@$(VENV)/bin/ansible-galaxy collection build --force --output-path .cache/build .

clean: ## Remove the Python environment, caches and test output
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/output
