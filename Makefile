# Two commands for a fresh machine: `make demo` and `make test`. Python 3.11 or later.
PYTHON ?= python3
# The release that the suite is run with; a plain `torch` may bring gigabytes of GPU libraries.
TORCH ?= torch==2.13.0
BIN := .venv/bin
BACKENDS ?= tensorflow jax torch
# Processes of the suite, a core each; `auto` is as many as there are cores.
WORKERS ?= auto
PYTEST := env OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-distributed check slow clean

demo: .venv/demo.ready
	KERAS_BACKEND=tensorflow $(BIN)/keras-contrastive demo

test: .venv/test.ready check
	@for backend in $(BACKENDS); do \
	  echo "== $$backend"; \
	  KERAS_BACKEND=$$backend $(PYTEST) --durations=5 tests || exit 1; \
	done

# Format, lint, floors and examples, on one backend.
check: .venv/test.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	KERAS_BACKEND=tensorflow $(PYTEST) --doctest-modules keras_contrastive

# Every method on one, two and four devices; a part of it is in `test`.
test-distributed: .venv/test.ready
	@for backend in $(BACKENDS); do \
	  KERAS_BACKEND=$$backend $(BIN)/python -m pytest -q --slow tests/distributed || exit 1; \
	done

slow: .venv/test.ready
	@for backend in $(BACKENDS); do \
	  KERAS_BACKEND=$$backend $(PYTEST) --slow -m slow tests || exit 1; \
	done

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/demo.ready: .venv/bin/python setup.py
	$(BIN)/python -m pip install --quiet -e ".[tensorflow-cpu,demo]"
	touch $@

.venv/test.ready: .venv/bin/python setup.py
	$(BIN)/python -m pip install --quiet "$(TORCH)"
	$(BIN)/python -m pip install --quiet -e ".[tensorflow-cpu,jax,torch,test]"
	touch $@

clean:
	rm -rf .venv .jax_cache build *.egg-info
