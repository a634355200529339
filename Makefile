# One command each: a fresh machine needs Python 3.11 or newer, make and the package registries.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts/python.exe,bin/python)
STAMP := $(VENV)/.gmcourse
KEY := $(shell cat requirements.lock pyproject.toml | cksum | cut -d ' ' -f 1)
PYTEST := $(PY) -m pytest -n 2

# What must import for the environment to count as whole; the second list is only looked up, which is quicker.
define WHOLE
import torch, matplotlib, jupyterlab, gmcourse
from importlib.util import find_spec
needed = "IPython anywidget jupytext myst_nb nbclient nbval pooch pytest ruff scipy sklearn sphinx_book_theme tyro xdist"
assert all(map(find_spec, needed.split()))
endef
export WHOLE

define BASE
import sys
sys.version_info < (3, 11) and sys.exit(1)
print(sys._base_executable)
endef
export BASE

.DEFAULT_GOAL := help
.PHONY: help setup lab test mutants exercise-mutants lessons book book-open slides format lock clean

help:  ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile

# The stamp holds the folder and a checksum of what was asked for, and is written last: no stamp, no finished install.
setup:  ## the environment alone: .venv with everything in requirements.lock
	@if $(PY) -P -c "$$WHOLE" 2>/dev/null && grep -qxF "$(CURDIR)" $(STAMP) 2>/dev/null; then \
		if grep -qxF "$(KEY)" $(STAMP); then exit 0; fi; \
		echo "Bringing $(VENV) up to date."; \
	else \
		base=$$($(PYTHON) -c "$$BASE" 2>/dev/null) || { \
			echo "gmcourse needs Python 3.11 or newer, and '$(PYTHON)' is not: name one, as in make PYTHON=python3.12" >&2; exit 1; }; \
		echo "Making $(VENV) with $$base: one to three minutes, 1.8 GB."; \
		rm -rf $(VENV) && "$$base" -m venv $(VENV) || exit 1; \
	fi; \
	rm -f $(STAMP); \
	$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[test,book]" && \
	$(PY) -P -c "$$WHOLE" && printf '%s\n' "$(CURDIR)" "$(KEY)" > $(STAMP)

lab: setup  ## JupyterLab on your own copies of the lessons, in work/; ARGS="--no-browser" is passed on
	@$(PY) -m gmcourse lab $(ARGS)

test mutants exercise-mutants lessons: export OMP_NUM_THREADS = 1
test mutants exercise-mutants lessons: export TQDM_DISABLE = 1

test: setup  ## style, types, unit and browser tests, then every notebook run again (nbval)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	@$(PY) -c "import basedpyright, nbgrader" 2>/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check \
		-c requirements.lock -e ".[types,grading]"
	$(PY) -m basedpyright --pythonpath $(PY)
	$(PYTEST) tests
	$(PYTEST) --dist loadfile --nbval-lax --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 120 chapters

mutants: setup  ## plant one-line bugs all over the package and name those that no test finds; ARGS="--only flows"
	$(PY) tools/mutants.py $(ARGS)

exercise-mutants: setup  ## one-line mutants of every exercise's reference, given as answers; ARGS="--only flows.rq"
	$(PY) tools/exercise_mutants.py $(ARGS)

lessons: setup  ## bring every NN_subject.ipynb up to its .md and execute what is stale; ALL=1 executes all, ARGS=--measure times them and writes nothing
	$(PY) tools/lessons.py $(if $(ALL),--all) $(ARGS)

book: setup  ## the HTML book, warnings as errors, under _build/html
	$(PY) tools/vendor.py
	@mkdir -p _build/html/_static  # the theme copies a logo there, and would make a file of that name
	$(PY) -m sphinx -W --keep-going -q -b html -d _build/doctrees chapters _build/html
	@echo "The book is in _build/html: make book-open shows it."

book-open: $(if $(wildcard _build/html/index.html),,book)  ## show the book in your browser
	$(PY) -m webbrowser "file://$(CURDIR)/_build/html/index.html"

slides: setup  ## a deck of each lesson from the same notebook, under _build/slides; ARGS="05_gan/02_dynamics" makes that one
	$(PY) tools/vendor.py
	$(PY) tools/slides.py $(ARGS)

format: setup  ## ruff's format and safe mends, in the package and in the lessons' code cells
	$(PY) -m ruff check --fix --extend-exclude "*.ipynb" .
	$(PY) -m ruff format --exclude "*.ipynb" .
	$(PY) -m jupytext --quiet --pipe "$(PY) -m ruff format --config chapters/ruff.toml -" chapters/[0-9]*/[0-9]*.md

# One lock for Python 3.11 and newer on Linux, macOS and Windows; torch's CUDA packages are left to pip.
lock:  ## requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra test --extra book --extra grading --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-package triton pyproject.toml > requirements.lock.new
	grep -vE '^(nvidia|cuda)-' requirements.lock.new | sed 's/+cpu//' > requirements.lock
	rm requirements.lock.new

clean:  ## remove what was built, the environment too
	rm -rf _build $(VENV)
