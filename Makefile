# `make help` lists the targets. Each sets up what it needs in .venv: Python 3.11 to 3.13, make and pip are enough.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8888
# Two threads: what Binder and shared hubs give, and what the price tags were measured with.
THREADS ?= 2
CAPS := OMP_NUM_THREADS=$(THREADS) TF_NUM_INTRAOP_THREADS=$(THREADS) NUMBA_NUM_THREADS=$(THREADS)

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help run test build bench prices lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/ready ## open JupyterLab on the student notebooks (PORT=8888; NO_BROWSER=1 opens no window)
	$(CAPS) $(BIN)/jupyter lab --notebook-dir notebooks/student --port $(PORT) $(if $(NO_BROWSER),--no-browser) $(LAB_ARGS)

test: $(VENV)/ready ## everything CI runs (FAST=1: only notebooks whose sources changed)
	FAST=$(FAST) PATH="$(CURDIR)/$(BIN):$$PATH" tests/run.sh

build: $(VENV)/ready ## student and solution notebooks from notebooks/source
	$(BIN)/dlphys build

bench: $(VENV)/ready ## speed of simulators, imports and notebooks, beside the goals
	$(BIN)/python -m benchmarks

prices: $(VENV)/ready ## measure time and memory of every notebook; writes notebooks/prices.json and README's table
	$(CAPS) $(BIN)/dlphys prices

lock: $(VENV)/ready ## pin the dependencies anew
	$(LOCK) --python-version 3.11 --extra course --extra grade --extra hub --extra cluster --extra dev \
		--override requirements/overrides.txt -o requirements/lock.txt
	$(LOCK) --python-version 3.12 --extra course --override requirements/overrides.txt -o binder/requirements.txt
	$(LOCK) --python-version 3.11 --extra course --extra grade --extra hub \
		--override requirements/overrides.txt --constraint requirements/lock.txt -o deploy/jupyterhub/requirements.txt

clean: ## remove the environment and everything built outside git
	rm -rf $(VENV) build dist .work .pytest_cache .mypy_cache .ruff_cache

# The lock is complete, so nothing is left to resolve (--no-deps); packages are byte-compiled at once,
# since otherwise every `import keras` takes three times as long.
$(VENV)/ready: requirements/lock.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "dlphys needs Python 3.11, 3.12 or 3.13 with venv (Debian: apt install python3-venv;"; \
		echo "others: https://www.python.org/downloads). None was found; name one with make PYTHON=/path/to/python3."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements/lock.txt
	$(BIN)/python -m compileall -q -j 2 $(VENV)/lib >/dev/null || true
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
