# Everything starts here: `make repro` and `make test` do the set-up they need. `make help` lists the rest.
#
#   PYTHON=python3.12   the interpreter that the virtual environment is made from (3.11 or later)
#   VENV=.venv          where the virtual environment is
#   PROFILE=full        the size of the studies, for this run (default: the line `profile:` of params.yaml)
#   JOBS=8              processes of the test run (default: one per core)
#   ARGS="-k softsync"  more arguments for pytest, or for dvc repro

PYTHON ?= python3
VENV ?= .venv
JOBS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
PROFILE ?=
ARGS ?=

BIN := $(abspath $(VENV))/bin
STAMP := $(VENV)/installed
UV = "$(BIN)/uv"
CHOSEN = $(if $(PROFILE),--profile "$(PROFILE)")

export PATH := $(BIN):$(PATH)
# Several processes, one thread each: as many processes as cores is the project's business, not a BLAS library's.
export OMP_NUM_THREADS := 1
export DVC_NO_ANALYTICS := 1
# A wheel of torch is large; a slow line is no error.
export UV_HTTP_TIMEOUT ?= 180
export UV_PYTHON_DOWNLOADS := never
# Where a user's pip usually installs is not where this project's environment is.
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX PIP_ROOT

.PHONY: help repro test setup lint format lock audit bench clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "  make %-8s %s\n", $$1, $$2}'

repro: setup  ## check the parameters, run the pipeline, write the site into reports/PROFILE (quick, standard, full or ci)
	"$(BIN)/rebuttal" check $(CHOSEN)
	exec "$(BIN)/rebuttal" dvc $(CHOSEN) repro $(ARGS)

test: setup  ## run every test, one process per core
	"$(BIN)/pytest" -n $(JOBS) --dist worksteal $(ARGS)

lint: setup  ## ruff and pyright
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/pyright" --pythonpath "$(BIN)/python"

format: setup  ## let ruff lay out the code and make its safe repairs
	"$(BIN)/ruff" check --fix-only .
	"$(BIN)/ruff" format .

bench: setup  ## run the benchmarks, one after another
	@for script in benchmarks/*.py; do echo "== $$script"; "$(BIN)/python" "$$script" || exit 1; done

setup: $(STAMP)  ## the virtual environment with the locked packages; done once, and again when the lock changes

# uv comes in the version and with a hash that the lock names, and then installs that lock and nothing else, hashes checked.
$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "rebuttal needs Python 3.11 or later; $(PYTHON) is $$("$(PYTHON)" --version 2>/dev/null || echo not there)." >&2; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(BIN)/python" -c 'import pip' 2>/dev/null || "$(PYTHON)" -m venv --clear "$(VENV)" || { \
	  echo "No virtual environment: on Debian and Ubuntu, 'apt-get install python3-venv' first." >&2; exit 1; }
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > "$(VENV)/uv.lock"
	"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$(VENV)/uv.lock"
	$(UV) pip sync --python "$(BIN)/python" --require-hashes --compile-bytecode requirements.lock
	$(UV) pip install --python "$(BIN)/python" --no-deps --no-build-isolation --editable .
	@touch "$@"

# A script that needs what is locked, and nothing else: uv audits scripts and projects of its own, and no other lists.
audit: setup  ## known faults of the locked packages; fails on any (needs a network)
	@{ printf '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n'; \
	  sed -nE 's/^([A-Za-z0-9].*==.*[^ ]) \\$$/#   "\1",/p' requirements.lock; printf '# ]\n# ///\n'; } > "$(VENV)/locked.py"
	$(UV) audit --preview-features audit --script "$(VENV)/locked.py"

lock:  ## resolve requirements.lock again from pyproject.toml (needs a network; ARGS=--upgrade for newer packages)
	@[ -x "$(BIN)/uv" ] || { "$(PYTHON)" -m venv "$(VENV)" && "$(BIN)/python" -m pip install --quiet uv; }
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

clean:  ## remove the virtual environment and caches; results and reports stay
	rm -rf .venv .pytest_cache .ruff_cache .dvc/tmp
	find src tests benchmarks notebooks -name __pycache__ -prune -exec rm -rf {} +
