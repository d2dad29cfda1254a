# Two commands do everything on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test lint bench soak clean

run: $(STAMP)
	$(BIN)/bank

test: $(STAMP) system
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: $(STAMP)
	$(BIN)/pytest -m soak

bench: $(STAMP)
	@sh tools/system-packages.sh gcc:cc libc6-dev:cc redis-server postgresql:psql
	$(BIN)/python -m bench
	$(BIN)/python tools/quote_figures.py

# The packages of the system that the tests use; as root on Debian they are installed.
.PHONY: system
system:
	@sh tools/system-packages.sh gcc:cc iproute2:ip mariadb-server:mariadb-install-db

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

clean:
	rm -rf .venv build dist *.egg-info
