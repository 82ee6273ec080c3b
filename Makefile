# Everything runs in .venv/, which `make env` makes. Run `make` for the list of targets.

CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

# Jobs find the environment's commands first, and nothing of another environment's packages.
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# Jobs and tests start hundreds of processes; without bytecode each would compile the library anew.
unexport PYTHONDONTWRITEBYTECODE
# Figures are drawn to files, also where the shell names a display.
export MPLBACKEND := Agg

# The configuration of a report, where it is not the papers'.
REPORTED := $(if $(CONFIG),--configfile $(CONFIG))

.PHONY: help env figures report test test-slow lint format smoke lock rulegraph docs clean distclean

help:
	@echo 'make figures    every figure and table of config/default.yaml (CORES=$(CORES))'
	@echo 'make report     one HTML file of all results that are there (CONFIG=mine.yaml: of yours)'
	@echo 'make smoke      a small run from end to end (config/minimal.yaml)'
	@echo 'make test       the tests; make test-slow for those that take longer'
	@echo 'make lint       style, types and workflow, checked; make format changes the style'
	@echo 'make docs       the site, into build/site/; open build/site/index.html'
	@echo 'make env        the environment alone, in .venv/'
	@echo 'make lock       requirements.lock anew from pyproject.toml'
	@echo 'make clean      remove caches; make distclean removes .venv/ and results/ too'

env:
	@sh tools/setup_env.sh

figures: env
	$(SNAKEMAKE) figures

# Of what is there: it computes nothing.
report: env
	@mkdir -p results
	$(BIN)/snakemake --cores 1 --quiet rules --report results/report.html \
		--report-metadata workflow/report/landing.yaml \
		--report-stylesheet workflow/report/report.css $(REPORTED) -- figures studies
	@echo 'results/report.html is written: open it in a browser.'

smoke: env
	$(SNAKEMAKE) studies figures --configfile config/minimal.yaml

# One thread per process: small matrices gain nothing from more, and the tests' timings stay true.
test test-slow: export OMP_NUM_THREADS := 1
test test-slow: export OPENBLAS_NUM_THREADS := 1

test: env
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# One worker more than cores: those of clusters and of killed runs wait for much of their time.
test-slow: env
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m slow

# Scripts for measuring are typed loosely: what they call must be there, with as many arguments.
LOOSE := arg-type assignment has-type index misc no-untyped-def union-attr unused-ignore

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src
	MYPYPATH=tests $(BIN)/mypy $(addprefix --disable-error-code=,$(LOOSE)) benchmarks
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/hadolint Dockerfile

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# Universal: one file for every platform and Python, one version of each package. Versions stay as
# they are unless pyproject.toml asks otherwise; `make lock UPGRADE=--upgrade` renews them.
lock: env
	$(BIN)/uv pip compile $(UPGRADE) --quiet --universal --fork-strategy fewest \
		--python-version 3.11 --extra dev --extra docs --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml

# The picture in the README; needs dot, of Graphviz.
rulegraph: env
	$(BIN)/snakemake --rulegraph dot -- figures studies | sed -n '/^digraph/,$$p' \
		| $(BIN)/python tools/join_batches.py | dot -Grankdir=LR -Tsvg -o docs/images/rulegraph.svg

# The root of the site is the project, so that links between documents hold here and there. The
# examples of the gallery are run; those that have not changed since are not run again.
docs: export OMP_NUM_THREADS := 1
docs: export OPENBLAS_NUM_THREADS := 1
docs: env
	$(BIN)/python -m sphinx -W --keep-going --quiet -c docs -d build/site-cache . build/site

clean:
	rm -rf docs/api docs/gallery
	rm -rf .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests workflow tools benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv .snakemake results
