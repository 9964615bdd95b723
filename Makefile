# Two commands do everything: `make book` and `make test`. Each sets itself up first.
# Needed beforehand: Python ≥ 3.10 with pip, and a network for the first run.

PYTHON ?= python3
BIN := .venv/bin
UV := .make/uv/bin/uv
# Notebook kernels and tests find the environment's own tools first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONPATH :=
# Python keeps what it compiled: the tests start it hundreds of times, and a start takes a third.
unexport PYTHONDONTWRITEBYTECODE
# Tests run side by side, each on one thread: more would only wait for each other.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS)

.PHONY: book colab links test test-fast nbval check live set-repository constraints clean

book: .make/environment  ## execute the chapters that changed, build, print the address to open
	$(BIN)/python scripts/book.py execute
	$(BIN)/python scripts/book.py build

colab: .make/environment  ## chapters in FAST as Colab runs them: its versions, a wheel, no repository
	$(BIN)/python scripts/as_colab.py

links: .make/environment  ## follow every link that leads out of the book
	$(BIN)/python scripts/book.py links

test: .make/environment .make/tools check  ## everything that has to pass before a change lands
	$(PYTEST) --durations=20

test-fast: .make/environment  ## the unit tests only
	$(PYTEST) tests/unit

nbval: .make/environment  ## chapters with checked outputs, executed in full; `test` does so in FAST
	$(BIN)/python -m pytest -q --nbval-lax --nbval-cell-timeout=900 -p no:cacheprovider \
	  -o testpaths= $(shell grep -l NBVAL_CHECK_OUTPUT book/[0-9][0-9]_*.ipynb)

check: .make/environment .make/tools  ## lint, types, which room imports which, files for GitHub
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.citation-file-format CITATION.cff

live: .make/environment  ## rebuild the live engine from its sources
	$(BIN)/python -m ncabook.live.engine.build

set-repository: .make/environment  ## URL=https://… : write the public address everywhere
	$(BIN)/python scripts/set_repository.py "$(URL)"

constraints: .make/environment  ## resolve constraints.txt anew
	$(UV) pip compile -q pyproject.toml --extra book --extra test --universal \
	  --python-version 3.10 --no-header --no-annotate --no-emit-index-url -o constraints.txt

clean:  ## remove everything that these commands made, outputs of chapters excepted
	rm -rf .venv .make _build

.make/environment: pyproject.toml constraints.txt
	mkdir -p .make
	test -x $(UV) || $(PYTHON) -m pip install -q --target .make/uv uv
	test -x $(BIN)/python || $(UV) venv -q --python $(PYTHON) .venv
	$(UV) pip install -q --python $(BIN)/python -c constraints.txt -e ".[book,test]"
	touch $@

.make/tools: scripts/tools.py .make/environment
	$(BIN)/python scripts/tools.py
	touch $@
