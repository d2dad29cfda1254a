# Two commands do everything on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

PYTHON_HEADER = $(shell $(BIN)/python -c \
	"import sysconfig; print(sysconfig.get_path('include') + '/Python.h')")

.PHONY: run test test-cluster dist lint bench bench-mysql soak clean

run: $(STAMP)
	$(BIN)/bank

test: $(STAMP) system
	@$(BIN)/python tools/make_dist.py --if-possible & dist=$$!; \
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy; checked=$$?; \
	wait $$dist && exit $$checked
	@$(BIN)/pytest -n $$(( $$(nproc 2>/dev/null || echo 2) + 1 )) --dist worksteal || \
	{ test $$? -eq 1 && echo "What failed beside other tests is run once more by itself:" && \
	$(BIN)/pytest --last-failed --last-failed-no-failures none; }

# One file that runs without Python, and the same program as a folder: dist/bank, dist/folder.
dist: $(STAMP)
	@sh tools/system-packages.sh binutils:objdump python3-dev:$(PYTHON_HEADER)
	$(BIN)/python tools/make_dist.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: $(STAMP)
	$(BIN)/pytest -m soak

# Two nodes of one bank on a real Galera cluster of three, one of which is killed.
test-cluster: $(STAMP)
	@sh tools/system-packages.sh mariadb-server:mariadb-install-db \
	    galera-4:/usr/lib/galera/libgalera_smm.so rsync
	$(BIN)/pytest -m cluster

# The ledger in a shared database: one node, two nodes, a cluster.
bench-mysql: $(STAMP)
	@sh tools/system-packages.sh gcc:cc libc6-dev:cc mariadb-server:mariadb-install-db \
	    galera-4:/usr/lib/galera/libgalera_smm.so rsync
	$(BIN)/python -m bench.mysql
	$(BIN)/python tools/quote_figures.py

bench: $(STAMP)
	@sh tools/system-packages.sh gcc:cc libc6-dev:cc redis-server postgresql:psql
	$(BIN)/python -m bench
	$(BIN)/python tools/quote_figures.py

# The packages of the system that the tests use; as root on Debian they are installed.
.PHONY: system
system:
	@sh tools/system-packages.sh gcc:cc binutils:objdump iproute2:ip \
		python3-dev:$(PYTHON_HEADER) mariadb-server:mariadb-install-db

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(STAMP)

clean:
	rm -rf .venv build dist *.egg-info
