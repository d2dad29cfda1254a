# Two commands do everything on a fresh machine: `make run` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# Compiled by `make fast`: what every request passes through on the I/O thread.
FAST := bank_node/values.py bank_node/protocol/codec.py bank_node/service/dispatch.py

PYTHON_HEADER = $(shell $(BIN)/python -c \
	"import sysconfig; print(sysconfig.get_path('include') + '/Python.h')")

.PHONY: run test test-cluster dist lint bench bench-mysql soak fast slow current clean

run: $(STAMP) current
	$(BIN)/bank

test: $(STAMP) system slow
	@$(BIN)/python tools/make_dist.py --if-possible & dist=$$!; \
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy; checked=$$?; \
	wait $$dist && exit $$checked
	$(BIN)/pytest -n auto

# One file that runs without Python, and the same program as a folder: dist/bank, dist/folder.
dist: $(STAMP) slow
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
bench-mysql: $(STAMP) current
	@sh tools/system-packages.sh gcc:cc libc6-dev:cc mariadb-server:mariadb-install-db \
	    galera-4:/usr/lib/galera/libgalera_smm.so rsync
	$(BIN)/python -m bench.mysql
	$(BIN)/python tools/quote_figures.py

bench: $(STAMP) current
	@sh tools/system-packages.sh gcc:cc libc6-dev:cc redis-server postgresql:psql
	$(BIN)/python -m bench
	$(BIN)/python tools/quote_figures.py

# Optional: a node whose busiest modules are machine code. One at a time, so that each becomes one
# file beside its source; the sources are the same, and `make slow` returns to them.
fast: $(STAMP) system slow
	@sh tools/system-packages.sh python3-dev:$(PYTHON_HEADER)
	for module in $(FAST); do $(BIN)/mypyc --strict $$module || exit 1; done

slow:
	@rm -f $(FAST:.py=*.so) $(FAST:.py=*.pyd)

# A compiled module that was left behind by an update would be served instead of its source.
current:
	@for source in $(FAST); do for compiled in $${source%.py}*.so; do \
		[ ! -e "$$compiled" ] || [ "$$compiled" -nt "$$source" ] || \
		{ echo "$$compiled is older than its source: make fast, or make slow" >&2; exit 1; }; \
	done; done

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

clean: slow
	rm -rf .venv build dist *.egg-info
