PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# stages are started as `python`, and that must be the environment's
export PATH := $(CURDIR)/$(BIN):$(PATH)
# it would keep them from finding the project's own modules
unexport PYTHONSAFEPATH

.PHONY: help install repro hand-in test test-long verify verify-small verify-processors gate bench page docs lint \
	explore explore-page format lock clean
.DEFAULT_GOAL := help

help: ## show what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## make .venv and install the locked versions, if that is not done yet

repro: $(VENV)/installed ## run what is not up to date of the pipeline
	@[ -e .git ] || { echo "error: DVC needs a Git repository: clone the project, or run \`git init\` here"; exit 1; }
	$(BIN)/dvc repro

explore: $(VENV)/installed ## open the page on which a person looks at the study, up to date
	$(BIN)/dvc repro explore
	$(BIN)/python -m webbrowser -t "file://$(CURDIR)/explore/index.html"

hand-in: repro ## pack the report, the code and a notebook that was run into hand-in/
	$(BIN)/python -m tools.hand_in

gate: $(VENV)/installed ## fail if code, params or data do not belong to dvc.lock; needs no cache
	@$(BIN)/dvc repro --dry --allow-missing | tee /dev/stderr | grep -q 'up to date' || \
		{ echo "error: results do not belong to dvc.lock: \`dvc repro\`, then commit what it writes"; exit 1; }

verify: $(VENV)/installed ## run the last commit from scratch: does each out have the committed bytes?
	$(BIN)/python -m tools.verify

verify-small: $(VENV)/installed ## the same in a minute, on the least data
	$(BIN)/python -m tools.verify --small

verify-processors: $(VENV)/installed ## the same on emulated processors, in an hour; needs qemu-user
	$(BIN)/python -m tools.verify --small native Haswell EPYC Skylake-Server EPYC-Milan

test: $(VENV)/installed ## run all tests but the long ones
	$(BIN)/python -m pytest -q -rs -n 2 --dist loadscope --no-loadscope-reorder

test-long: $(VENV)/installed ## run the tests that take many minutes
	$(BIN)/python -m pytest -q -m long
	FUZZ=long $(BIN)/python -m pytest -q tests/fuzz --timeout 3600

bench: $(VENV)/installed ## measure every claim of speed; writes tools/benchmarks/results.md and .csv
	$(BIN)/python -m tools.benchmarks

page: $(VENV)/installed ## write the page of `dvc plots` anew, with the scripts that draw its charts
	$(BIN)/python -m tools.plots_page

explore-page: $(VENV)/installed ## fetch the library of the page of `explore` anew
	$(BIN)/python -m tools.explore_page

docs: $(VENV)/installed ## write the numbers in README.md and docs/ anew from the committed results
	$(BIN)/python -m tools.docs

lint: $(VENV)/installed ## check style and format of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed ## put the code into its format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/installed ## resolve the dependencies of pyproject.toml anew into requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --upgrade --python-version 3.11 --group dev --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links \
		--quiet --output-file requirements.lock pyproject.toml

clean: ## remove .venv and what tools leave behind; data, models and the cache stay
	rm -rf $(VENV) dvc_plots .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.dvc/*' -prune -exec rm -rf {} +

# the marker is written last, so an installation that was interrupted goes on at the next call
$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing the locked versions: some minutes, and on Linux 5 GB"
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	touch $@
