# The tasks of a contributor; CONTRIBUTING.md explains them. PYTHON chooses the interpreter: make test PYTHON=.venv/bin/python
PYTHON ?= python
SECONDS ?= 30

.PHONY: help check test fast golden docs fuzz bench

help:
	@echo "check   format, lint and types"
	@echo "test    all tests but those that need another framework"
	@echo "fast    the same without the slow ones"
	@echo "golden  write the goldens, the schemas and the key tables anew; review the difference"
	@echo "docs    write the output of the documentation's examples anew; review the difference"
	@echo "fuzz    damaged files for every reader, SECONDS=$(SECONDS) each"
	@echo "bench   start-up, engine and memory"

check:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest -m "not oracle"

fast:
	$(PYTHON) -m pytest -m "not slow and not oracle"

golden:
	$(PYTHON) tests/golden/test_golden.py
	$(PYTHON) -m tests.helpers.schemas

docs:
	$(PYTHON) tests/docs/test_topic_tables.py
	$(PYTHON) tests/docs/test_docs.py --write
	$(PYTHON) tests/docs/test_pictures.py

fuzz:
	for target in $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.py))); do \
		$(PYTHON) -m tests.fuzz.$$target --seconds $(SECONDS) || exit 1; \
	done

bench:
	$(PYTHON) tests/bench/startup.py
	$(PYTHON) tests/bench/engine.py
	$(PYTHON) tests/bench/memory.py
