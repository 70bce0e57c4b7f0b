# Every target of the project; `make` alone prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MINUTES ?= 5
LOCKS := uv runtime papers demo dev load
RULES := tests/domain tests/crypto tests/catalogue
# What is compiled once need not be compiled by each worker and each process of a demo.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage mutants soak simulate chaos outages image-test docs lint load load-peak load-soak bench lock clean

help: ## print the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/uv.stamp: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Tongban needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/demo.stamp: requirements/demo.txt $(VENV)/uv.stamp
	$(BIN)/uv pip install --system-certs --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/demo.txt
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/uv.stamp
	$(BIN)/uv pip install --system-certs --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/demo.stamp

.venv-load/load.stamp: requirements/load.txt $(VENV)/uv.stamp
	$(PYTHON) -m venv .venv-load
	$(BIN)/uv pip install --system-certs --quiet --compile-bytecode --python .venv-load/bin/python --require-hashes -r requirements/load.txt
	@touch $@

setup: $(VENV)/dev.stamp .venv-load/load.stamp ## make the environments from the hashed requirements, with what tests and checks need

demo: $(VENV)/demo.stamp ## two provinces on this machine and one case across them (ARGS="--nodes 3")
	$(BIN)/python -m server demo $(ARGS)

test: setup ## all that a commit must pass (ARGS="tests/domain -k routing" for a part)
	$(BIN)/python -m pytest $(ARGS)

coverage: setup ## how much of the rules their tests run: 95 of 100 lines and branches at least
	$(BIN)/python -m pytest $(RULES) -n auto --cov --cov-report=term:skip-covered --cov-fail-under=95

mutants: setup ## change the heart of the rules in small ways; a test must notice 97 of 100 (ARGS="--json" or a file)
	$(BIN)/python -m tests.mutation $(ARGS)

soak: setup ## what takes long: tests marked `soak`, a thousand seeds, chaos, outages, the image (ARGS=--long for ten thousand)
	$(BIN)/python -m tests.soak $(ARGS)

simulate: setup ## the exchange in simulated bad weather, each run made of its seed (SEEDS=10000)
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) $(ARGS)

chaos: setup ## kill, cut, slow and hold two provinces at random, then count what is lost or doubled (MINUTES=5)
	$(BIN)/python -m tests.faults.chaos --minutes $(MINUTES) $(ARGS)

outages: setup ## the outage table, measured: the wire cut for 10, 60 and 300 seconds (ARGS="--seconds 10")
	$(BIN)/python -m tests.faults.outages $(if $(ARGS),$(ARGS),--seconds 10,60,300)

image-test: setup ## build the image with buildah, run two nodes from it, let a case cross (says what is missing)
	$(BIN)/python -m tests.image $(ARGS)

docs: setup ## write what the code tells on the pages: doors, refusals, moves, savings, planted faults
	$(BIN)/python -m tests.pages

lint: setup ## style, types and the Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

load: $(VENV)/demo.stamp .venv-load/load.stamp ## two minutes of citizens, officers, a peer and an abuser against a demo (ARGS)
	$(BIN)/python -m loadtests run --seconds 120 --base 24 $(ARGS)

load-peak: $(VENV)/demo.stamp .venv-load/load.stamp ## enrolment night: arrivals rise to ten times as many in ten seconds (ARGS)
	$(BIN)/python -m loadtests run --shape night --model open --seconds 300 --base 2 --budget peak $(ARGS)

load-soak: MINUTES = 30
load-soak: $(VENV)/demo.stamp .venv-load/load.stamp ## the usual load for long: does each process stay flat? (MINUTES=30, ARGS="--kill-every 60")
	$(BIN)/python -m loadtests run --shape soak --seconds $$(( $(MINUTES) * 60 )) --base 24 $(ARGS)

bench: $(VENV)/demo.stamp .venv-load/load.stamp ## a node beside bare servers, in one run (ARGS="--page" writes docs/performance.md)
	$(BIN)/python -m loadtests.bench $(ARGS)

lock: $(VENV)/uv.stamp ## pin requirements/*.in again, with hashes
	cd requirements && for name in $(LOCKS); do \
	  ../$(BIN)/uv pip compile --system-certs --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --quiet $$name.in -o $$name.txt || exit 1; done

clean: ## remove the environments and what tests left
	rm -rf $(VENV) .venv-load .pytest_cache .ruff_cache .mypy_cache .coverage build
