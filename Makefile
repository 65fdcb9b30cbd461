# `make help` lists the verbs from the comments behind them.

PYTHON ?= python3
BIN := .venv/bin
NAME ?=
FILE ?= track calm detector incident notice waiting step uptime maintenance explain service plan vantage
SAMPLE ?= 30

.DEFAULT_GOAL := help
.PHONY: help ready check fast lint types test slow kill deep mutants demo dev probe docs dist

help: ## this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(BIN)/pytest: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -U pip
	$(BIN)/pip install -q -e '.[postgres]' --group dev
	@touch $@

ready: $(BIN)/pytest ## everything installed, and the hooks that run before each commit
	@command -v pre-commit > /dev/null && pre-commit install || echo "pre-commit is not installed; 'make fast' does the same by hand"

# A test is named after the file it is of, or lies in the folder of its room.
fast: lint ## lint, and the tests of the rooms that you have changed since main
	@changed=$$(git diff --name-only main -- monitor tests | sed -nE \
	  -e 's|^monitor/([a-z]+)/.*|tests/\1|p' -e 's|^monitor/([a-z_]+)\.py|tests/test_\1.py|p' \
	  -e 's|^(tests/test_[a-z_]+\.py)|\1|p' -e 's|^(tests/[a-z]+)/.*|\1|p' | sort -u | xargs -r ls -d 2> /dev/null); \
	$(BIN)/pytest tests/test_architecture.py tests/test_docs.py $$changed

check: lint types test ## everything but the slow tests: lint, types, tests, the shipped configuration

lint: $(BIN)/pytest ## ruff, its format, the shipped probes.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/monitor check probes.yaml

types: $(BIN)/pytest ## mypy, strict
	$(BIN)/mypy

test: $(BIN)/pytest ## the fast tests, three minutes at most
	$(BIN)/pytest

slow: $(BIN)/pytest ## the tests that take minutes: browsers, kills, whole processes
	$(BIN)/pytest -m "slow and not alone"
	$(BIN)/pytest -m alone -n 0

kill: $(BIN)/pytest ## the program killed 500 times, and nothing lost; 40 minutes
	MONITOR_KILL_ROUNDS=500 $(BIN)/pytest -m slow -n 0 -s tests/processes/test_kill.py

deep: $(BIN)/pytest ## every property with 24 times as many examples
	MONITOR_TEST_DEPTH=3 $(BIN)/pytest -m "property and not slow" --timeout 900

$(BIN)/mutmut: pyproject.toml $(BIN)/pytest
	$(BIN)/pip install -q --group mutants
	@touch $@

mutants: $(BIN)/mutmut ## faults put into core that no test notices: make mutants FILE=track SAMPLE=60
	$(BIN)/python -m tests.mutants $(FILE) --sample $(SAMPLE)

demo: $(BIN)/pytest ## a VTEX-shaped platform, the monitor watching it, a story of faults
	$(BIN)/monitor demo

dev: $(BIN)/pytest ## the same with the story ten times faster
	$(BIN)/monitor demo --fast

probe: $(BIN)/pytest ## every step of one probe: make probe NAME=checkout/simulation
	$(BIN)/monitor probe --debug $(NAME)

$(BIN)/mkdocs: pyproject.toml $(BIN)/pytest
	$(BIN)/pip install -q --group docs
	@touch $@

docs: $(BIN)/mkdocs ## the documentation as a site, in docs-site/; a link that leads nowhere is an error
	$(BIN)/python -m tests.reference --write
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

dist: $(BIN)/pytest ## source archive and wheel, in dist/: the same bytes for everybody who builds this state
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2> /dev/null || stat -c %Y pyproject.toml) $(BIN)/python -m build -q -o dist .
