# make run, make test, make check, make sim, make bench, make mutants: each first installs what it needs into .venv.
# PYTHON3 is the Python that makes .venv (3.11 or later). With PEERS=required a missing peer program is an error.

PYTHON3 ?= python3
PEERS ?= wanted
PYTHON := .venv/bin/python
DEMO := conf/demo
MINUTES ?= 30
FILES ?=
PROCESSES ?= 2

.PHONY: run test check sim bench mutants reference clean
.DELETE_ON_ERROR:

run: .venv/installed $(DEMO)/nmea.log
	@$(PYTHON) -m scripts.demo_certificate $(DEMO)
	@scripts/whats_next
	@exec .venv/bin/twistd -n --pidfile= gateway --config conf/demo.ini

test: .venv/installed
	@if PEERS=$(PEERS) scripts/setup_peers; then exec $(PYTHON) -m scripts.run_tests; \
	elif [ $(PEERS) = required ]; then exit 1; \
	else exec $(PYTHON) -m scripts.run_tests --without-peers; fi

check: .venv/installed
	.venv/bin/ruff check
	.venv/bin/mypy
	$(PYTHON) -m gateway.config.reference --check

# SEED=n plays that one; SEEDS=n so many; HOURS=n simulated hours each; SCENARIO=name. Without any: until one fails.
sim: .venv/installed
	$(PYTHON) -m tests.sim --processes $(PROCESSES) $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(HOURS),--hours $(HOURS)) $(if $(SCENARIO),--scenario $(SCENARIO))

bench: .venv/installed
	$(PYTHON) -m benchmarks

mutants: .venv/mutants
	$(PYTHON) -m scripts.mutants --minutes $(MINUTES) $(FILES)

reference: .venv/installed
	$(PYTHON) -m gateway.config.reference

clean:
	rm -rf .venv $(DEMO) build *.egg-info .mypy_cache .ruff_cache .mutants

$(DEMO)/nmea.log: scripts/demo_log.py | .venv/installed
	$(PYTHON) -m scripts.demo_log $@

# editable_mode=compat, because twistd looks for plugins in folders of sys.path, and the default mode adds none.
.venv/installed: setup.cfg pyproject.toml
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON3=python3.12")'
	@$(PYTHON3) -m venv .venv || { echo "On Debian and Ubuntu: apt install python3-venv"; rm -rf .venv; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[test,check]' --config-settings editable_mode=compat
	@touch $@

.venv/mutants: .venv/installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --editable '.[mutants]' --config-settings editable_mode=compat
	@touch $@
