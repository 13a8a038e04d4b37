# make test     the whole suite, on all cores
# make quick    the suite without what is slow: under a minute
# make lint     ruff, its format and mypy
# make screens  the golden screens, the picture and the pages' outputs written anew; look at the diff before committing
# make bench    speed and memory
#
# They run in the active environment; where none is active in this checkout's own .venv-test, made on first use.
# An environment of your own wants `pip install -e '.[test,dev]'`; `make test PYTHON=python3.12` names any other.

ifdef VIRTUAL_ENV
PYTHON ?= $(VIRTUAL_ENV)/bin/python
else
PYTHON ?= .venv-test/bin/python
endif

# the environment is ours to make only where it is the one above
ENVIRONMENT := $(if $(filter .venv-test/bin/python,$(PYTHON)),.venv-test/ready)

# the checkout itself is run, whatever is installed
export PYTHONPATH := $(CURDIR)/src$(if $(PYTHONPATH),:$(PYTHONPATH))

.PHONY: test quick lint ruff-check ruff-format mypy screens bench

test: $(ENVIRONMENT)
	$(PYTHON) -m pytest -n auto

quick: $(ENVIRONMENT)
	$(PYTHON) -m pytest -n auto -m "not slow"

lint: ruff-check ruff-format mypy

ruff-check: $(ENVIRONMENT)
	$(PYTHON) -m ruff check .

ruff-format: $(ENVIRONMENT)
	$(PYTHON) -m ruff format --check .

mypy: $(ENVIRONMENT)
	$(PYTHON) -m mypy

screens: $(ENVIRONMENT)
	$(PYTHON) -m pytest --rewrite $$(grep -rl --include='test_*.py' -e '"--rewrite"' tests)

bench: $(ENVIRONMENT)
	$(PYTHON) benchmarks/run.py

.venv-test/ready: pyproject.toml
	python3 -m venv .venv-test
	.venv-test/bin/python -m pip install -q -e '.[test,dev]'
	touch $@
