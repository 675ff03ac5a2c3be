# make demo | test | test-all | bench | lint   each prepares .venv by itself on first use
# make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu   takes PyTorch without CUDA packages

SHELL := /bin/bash
.DEFAULT_GOAL := help
export OMP_NUM_THREADS ?= 1

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH_INDEX ?=
# the first interpreter of 3.11 or newer
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
APT := sudo apt-get install -y g++ make perl python3 python3-venv libpython3-dev iverilog

.PHONY: help demo test test-all bench lint tools clean

help:
	@sed -n '1,2s/^# //p' Makefile

demo: $(READY)
	$(BIN)/netweave run examples/digits_dvs.toml

PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

# minutes; what it leaves out is marked in the tests, and the markers are explained in pyproject.toml
test: $(READY)
	$(PYTEST) -m "not slow and not whole"

# all but what is run by hand
test-all: $(READY)
	$(PYTEST) -m "not slow"

bench: $(READY)
	$(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# what pip cannot bring: checked together, so that one line mends all of it
tools:
	@missing=""; \
	test -n "$(PYTHON)" || missing="$$missing Python-3.11-or-newer"; \
	for tool in g++ perl; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if test -n "$(PYTHON)"; then \
		$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
		$(PYTHON) -c 'import ctypes, sysconfig; ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))' 2>/dev/null \
			|| missing="$$missing libpython-shared-library"; \
	fi; \
	if test -n "$$missing"; then \
		echo "netweave needs what is missing here:$$missing"; \
		echo "On Debian or Ubuntu this installs all of it:"; \
		echo "    $(APT)"; \
		echo "(a Python of your own build needs --enable-shared, or choose: make $(MAKECMDGOALS) PYTHON=/usr/bin/python3)"; \
		exit 1; \
	fi

$(READY): pyproject.toml constraints.txt | tools
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(BIN)/pip install -q -c constraints.txt --index-url $(TORCH_INDEX) torch)
	$(BIN)/pip install -q -c constraints.txt -e ".[dev]"
	$(BIN)/python -m netweave.compiled
	@touch $@

clean:
	rm -rf runs build dist *.egg-info

# the pictures in the README
docs/images/density.png: demo
	cp runs/digits_dvs/report/density_zu3eg.png $@

docs/images/front.png: $(READY)
	$(BIN)/python -m benchmarks fronts
	cp runs/fronts/digits_dvs/explore/zu3eg/front.png $@
