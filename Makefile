# Two commands do all the set-up: `make demo` and `make test`.  `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ASSAY_CACHE ?= $(CURDIR)/.cache/assay

.PHONY: help demo defi test test-all test-all-heavy test-long check lint types layers docs bench growth audit sbom wheel clean

help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.ready: constraints.txt models.txt pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py $(VENV)
	@touch $@

$(VENV)/.torch: $(VENV)/.ready
	@$(BIN)/python tools/install.py $(VENV) --torch
	@touch $@

demo: $(VENV)/.ready ## the main job on real models: install, run plans/defi.yaml, decide
	@$(BIN)/python tools/demo.py

defi: $(VENV)/.torch ## the DeFi domain whole: train, bench on 5,000 unseen prompts, rails, end to end
	@$(BIN)/python tools/defi.py

test: $(VENV)/.ready ## every test that needs neither torch nor a long build
	@$(BIN)/python -m pytest -q -n 2 -m "not heavy and not long"

test-all: test test-all-heavy test-long ## the tests of `make test`, those that need torch, and those that take minutes each

test-all-heavy: $(VENV)/.torch
	@$(BIN)/python -m pytest -q -n 2 -m "heavy and not long"

test-long: $(VENV)/.torch
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m long --deselect tests/engine/test_ray.py
	@$(BIN)/python -m pytest -q -m long tests/engine/test_ray.py # clusters have the machine to themselves

check: lint types layers test ## what CI runs

lint: $(VENV)/.ready
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.ready
	@$(BIN)/mypy

layers: $(VENV)/.ready
	@$(BIN)/lint-imports

docs: $(VENV)/.ready ## the documentation as a site, into .cache/docs/html; a warning is an error
	@$(BIN)/python tools/docs.py

$(VENV)/audit/.ready: tools/audit.txt
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install -q --no-deps --disable-pip-version-check -r tools/audit.txt
	@touch $@

audit: $(VENV)/audit/.ready ## ask whether what is pinned has holes that are known; needs the network
	@$(VENV)/audit/bin/pip-audit --strict --progress-spinner off --disable-pip --no-deps -r constraints.txt || { \
		echo "make audit: no clean answer.  A hole is in the table above; without a table, nobody answered: is the network there?" >&2; exit 1; }

sbom: $(VENV)/.torch $(VENV)/audit/.ready ## what assay and its extras are made of, as CycloneDX: dist/sbom.cdx.json
	@$(VENV)/audit/bin/python tools/sbom.py $(BIN)/python dist/sbom.cdx.json

wheel: $(VENV)/.ready ## the wheel and the source, into dist: equal sources give equal bytes
	@$(BIN)/python -m build --no-isolation --outdir dist .

bench: $(VENV)/.torch ## time assay against its peers, in one run
	@$(BIN)/assay perf run --suite all --peers bench --out bench/perf --page bench/RESULTS.md

growth: $(VENV)/.ready ## how writing, sealing, verifying, reporting and paging grow from 10^3 to 10^5 records
	@$(BIN)/assay perf run --suite records --sizes 1000,10000,100000 --processes 3 --out .cache/growth --page .cache/growth/page.md

clean: ## remove what make and runs have made
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache dist
